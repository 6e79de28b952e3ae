#!/bin/bash
# The shells themselves, asked to complete our command lines: bash and zsh on a terminal, fish by its own word.
#
#   tests/e2e/completion.sh POSTHASTE
set -euo pipefail
export LC_ALL=C.UTF-8 TERM=dumb

posthaste=$(realpath "${1:?which posthaste?}")
unset POSTHASTE_URL POSTHASTE_TOKEN POSTHASTE_CONFIG
dir=$(mktemp -d "${TMPDIR:-/tmp}/posthaste-completion.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export HOME=$dir PATH=$dir:$PATH
ln -s "$posthaste" posthaste
for shell in bash zsh fish; do
    posthaste completion "$shell" >"script.$shell"
done
touch card.yaml 'my card.yaml'

# Type lines on the terminal of a shell. Its keys: one puts all that may stand there into the line, one goes
# to the line's begin, so that it is printed rather than run.
all=$'\e*' begin=$'\001'
type_into() {
    printf '%s\n' "${@:2}" exit >keys
    script -qec "$1" /dev/null <keys >typescript
}
in_bash() {
    type_into 'bash --noprofile --norc -i' 'source script.bash' "$1$all${begin}printf '<%s>\\n' "
}
in_zsh() {
    type_into 'zsh -f -i' 'autoload -Uz compinit && compinit -D && source script.zsh' \
        "zstyle ':completion:all::::' completer _all_matches _complete; zstyle ':completion:*' insert true" \
        "zle -C all complete-word _generic; bindkey '\\e*' all" \
        "$1$all${begin}printf '<%s>\\n' "
}
in_fish() {
    fish --no-config -c "source script.fish; complete -C '$1'" | sed 's/\t.*//; s/.*/<&>/' >typescript
}

# complete LINE WORD…: in every shell all of these are among what the line may become, and nothing that stands
# behind "but" is.
checks=0
complete() {
    local shell line=$1 word wanted=1
    for shell in bash zsh fish; do
        "in_$shell" "$line"
        checks=$((checks + 1))
        wanted=1
        for word in "${@:2}"; do
            if [ "$word" = but ]; then
                wanted=0
            elif [ "$(grep -cxF "<$word>" <(tr -d '\r' <typescript))" -ne "$wanted" ]; then
                printf 'FAILED: %s: %s [%s]\n' "$shell" "$line" "$word" >&2
                cat -v typescript >&2
                exit 1
            fi
        done
    done
}

complete 'posthaste ' app send help but create
complete 'posthaste app cr' create but list
complete 'posthaste app ' create list replace but --help
complete 'posthaste region certificate ' create show but list
complete 'posthaste help region ' list certificate but create
complete 'posthaste lab ' cut status but fra
complete 'posthaste app list --o' --order --output but --limit
complete 'posthaste app list --output json --' --order --limit but --colour
complete 'posthaste app list -o ' table json jsonl but --order
complete 'posthaste app list --output=t' --output=table but --output=json
complete 'posthaste attempt list --app x --status ' success fail sending but 0
complete 'posthaste attempt list --app x --status-code-class ' 0 200 but 1
complete 'posthaste completion ' bash zsh fish
complete 'posthaste status --config c' card.yaml but --token
complete 'posthaste status --config=c' --config=card.yaml
complete 'posthaste region add c' card.yaml but create
complete 'posthaste region add m' 'my card.yaml' but card.yaml
complete 'posthaste send --app x order.paid -d @c' @card.yaml

echo "completion: $checks command lines were completed"
