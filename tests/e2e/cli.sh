#!/bin/bash
# Every command against a real dispatcher and a real receiver: what it prints and how it ends.
#
#   tests/e2e/cli.sh POSTHASTE
set -euo pipefail
export LC_ALL=C.UTF-8

posthaste=$(realpath "${1:?which posthaste?}")
unset POSTHASTE_URL POSTHASTE_TOKEN POSTHASTE_CONFIG
manual=$(realpath "$(dirname "$0")/../../docs/man")
dir=$(mktemp -d "${TMPDIR:-/tmp}/posthaste-cli.XXXXXX")
cd "$dir"
pids=()
finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || :; done
    rm -rf "$dir"
}
trap finish EXIT

checks=0
fail() {
    printf 'FAILED: %s\n' "$1" >&2
    sed 's/^/  stdout: /' out >&2
    sed 's/^/  stderr: /' err >&2
    exit 1
}

# expect STATUS COMMAND…: run it; what it printed is in out and err.
expect() {
    local wanted=$1 status=0
    shift
    "$posthaste" "$@" >out 2>err || status=$?
    last="posthaste $*"
    checks=$((checks + 1))
    [ "$status" -eq "$wanted" ] || fail "$last: exit $status, not $wanted"
}
# says FILE PATTERN: of the last command.
says() {
    grep -qE -- "$2" "$1" || fail "$last: nothing like '$2' in $1"
}
silent() {
    [ ! -s "$1" ] || fail "$last: something in $1"
}
# member NAME: its value in the JSON line of the last command.
member() {
    sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" out
}

# start COMMAND…: in the background until its stderr has a line with "listening"; that line is in
# $started, the process in $pid.
start() {
    local pipe
    exec {pipe}< <(exec "$posthaste" "$@" 2>&1 >>"$1.out")
    pid=$!
    pids+=("$pid")
    while read -r -u "$pipe" started; do
        case $started in *listening*) return ;; esac
    done
    echo "FAILED: posthaste $* ended early" >&2
    exit 1
}
ends() {
    local wanted=$1 status=0
    kill -TERM "$2" 2>/dev/null || :
    wait "$2" || status=$?
    [ "$status" -eq "$wanted" ] || { echo "FAILED: $3 ended with $status" >&2; exit 1; }
}

# on_terminal COLUMNS COMMAND…: run it there; what it showed is in out.
on_terminal() {
    last="posthaste ${*:2} on a terminal"
    checks=$((checks + 1))
    script -qec "stty cols $1; $(printf '%q ' "$posthaste" "${@:2}")" /dev/null </dev/null | tr -d '\r' >out
}

# foreign BODY: a server that isn't ours and answers everything with that; its URL is in $foreign.
foreign() {
    local pipe
    exec {pipe}< <(exec node -e 'require("http").createServer((request, answer) => answer.end(process.argv[1]))
        .listen(0, "127.0.0.1", function () { console.log("http://127.0.0.1:" + this.address().port) })' "$1")
    pids+=($!)
    read -r -u "$pipe" foreign
}

# --- Without a server -------------------------------------------------------------------------

expect 2;                                says out 'app create'
expect 0 help;                           says out 'endpoint rotate-secret'
expect 0 help send;                      says out 'Usage: posthaste send \[OPTION...\] TYPE'
expect 0 app --help;                     says out 'app delete'
expect 0 help app;                       says out 'app delete'
expect 0 help help;                      says out 'endpoint rotate-secret'
expect 0 help --help;                    says out 'endpoint rotate-secret'
expect 0 app -h;                         says out 'app delete'; silent err
expect 0 app --help create;              says out 'Usage: posthaste app create'
expect 2 app --help crate;               says err "did you mean 'app create'"
expect 0 region certificate --help;      says out 'certificate show'; ! grep -q drain out || fail 'only those of a certificate'
expect 2 region certificate;             says err 'half a command'
expect 2 app --limit 1;                  says err "'app' is half a command"
expect 2 --url http://h app list;        says err '^posthaste: --url: options stand behind the command'; silent out
expect 2 app;                            says err 'half a command'; says err 'app delete'; silent out
expect 0 app create --help;              says out 'metadata=NAME=VALUE'; silent err
expect 2 sned;                           says err "did you mean 'send'"; silent out
expect 0 openapi;                        says out '"openapi": "3\.1\.'; says out '"/api/v1/app/\{app\}/msg"'
expect 0 openapi --help;                 says out "print the API's contract"
expect 2 openapi --colour;               says err '--colour: unknown option'
expect 2 openapi yaml;                   silent out
expect 2 completion tcsh;                says err "'tcsh' is none of bash\|zsh\|fish"
expect 2 completion;                     says err 'bash\|zsh\|fish is missing'
expect 0 version;                        says out '^posthaste [0-9.]+$'
expect 0 version --json;                 says out '^\{"version":"[0-9.]+"\}$'
expect 2 version --colour;               says err '--colour: unknown option'

# The manual has every command, every option and every setting, and help has examples.
grep '^\*' "$manual/posthaste.1.scd" | tr -d '*' >entries
"$posthaste" help | sed -n 's/^  \([a-z-]*\( [a-z-]*\)\{0,2\}\)  .*/\1/p' >commands
while read -r -a words; do
    expect 0 "${words[@]}" --help;       says out '^Example:$'
    noun=${words[*]:0:${#words[@]}-1} verb=${words[-1]}
    grep -qE "(^|, )${noun:+$noun }([a-z-]+\|)*$verb([|, ]|\$)" entries ||
        fail "${words[*]} is not in the manual"
    grep -oE -- '--[a-z][a-z-]+' out | while read -r option; do
        grep -q -- "$option" "$manual/posthaste.1.scd" || fail "$option is not in the manual"
    done
done <commands

# Regions know each other by their cards.
expect 2 init fra --ordinal 1;           says err '--ordinal is about a region with a name'
expect 2 init xyz --region xyz;          says err '--ordinal is missing'; silent out
expect 2 init xyz --region xyz --ordinal 9;  says err '--jurisdiction is missing'
expect 2 init xyz --region Fra --ordinal 9 --jurisdiction eu;  says err 'region.name: expected a letter'
expect 2 init xyz --region fra --latitude 91 --longitude 0;    says err 'latitude'
echo nonsense >wrong.key
expect 2 init xyz --region fra --token-key wrong.key;          says err 'xyz/token.key: not a key for tokens'
[ ! -e xyz ] || fail 'a refused init leaves nothing behind'
expect 0 init fra --region fra --link-url https://127.0.0.1:1; says out '^fra/link.crt$'
expect 0 init iad --region iad --token-key fra/token.key --link-url https://127.0.0.1:2
cmp -s fra/token.key iad/token.key || fail 'the key for tokens is the same'
for file in token.key link.key; do
    [ "$(stat -c %a iad/$file)" = 600 ] || fail "$file is for its owner alone"
done
fra=fra/posthaste.yaml iad=iad/posthaste.yaml
expect 0 config check --config $iad
expect 1 region certificate create --config $iad;  says err 'link.key: is there already'
rm iad/link.crt
expect 1 region certificate show --config $iad;    says err 'make it with posthaste region certificate create'
rm iad/link.key
expect 0 region certificate create --config $iad;  says out '^iad/link.crt$'
expect 0 region certificate show --config $iad;    says out '^ordinal: 2$'; cp out iad.card
expect 0 region certificate show --config $fra;    cp out fra.card
cmp -s fra.card fra/fra.card || fail 'init writes the card that show prints'
expect 0 region add iad.card --config $fra;        says out '^fra/peers/iad.yaml$'
expect 1 region add iad.card --config $fra;        says err 'is there already'
expect 0 region add iad.card --config $fra --replace
cmp -s fra/peers/iad.yaml iad.card || fail 'a card is kept as it came'
expect 0 region add - --config $iad <fra.card;     says out '^iad/peers/fra.yaml$'
echo 'no card' >iad/peers/gru.yaml
expect 0 region certificate show --config $iad;    says out '^ordinal: 2$'
rm iad/peers/gru.yaml
expect 2 region add - --config $iad <wrong.key;    says err 'stdin:1: expected'
expect 2 region add --config $iad;                 says err 'CARD... is missing'
expect 0 config check --config $fra
mv fra/link.key fra/other.key
expect 2 config check --config $fra;               says err 'region.key_file: fra/link.key: not found'
expect 2 serve --config $fra;                      says err 'region.key_file: fra/link.key: not found'
cp iad/link.key fra/link.key
expect 2 config check --config $fra;               says err 'fra/link.key: not the key to fra/link.crt'
mv fra/other.key fra/link.key
expect 2 region add fra.card --config $fra;        says err 'fra.card:1: name: there is a region fra already'
sed 's/^name: iad/name: gru/' iad.card >gru.card
expect 2 region add gru.card --config $fra;        says err 'certificate: is that of region iad'
expect 0 init sin --region sin --ordinal 2
expect 0 region certificate show --config sin/posthaste.yaml; cp out sin.card
expect 2 region add sin.card --config $fra;        says err 'ordinal: 2 is that of iad already'
echo 'name: gru' >fra/peers/gru.yaml
expect 2 config check --config $fra;               says err '^posthaste: fra/peers/gru.yaml: ordinal: is missing$'
expect 0 region remove gru --config $fra
expect 3 region remove gru --config $fra
expect 2 region remove ../gru --config $fra

# Four regions, two commands each; then each knows all of them, and one token is good everywhere.
mkdir four
regions=(fra iad sin gru)
share=()
for region in "${regions[@]}"; do
    expect 0 init "four/$region" --region "$region" "${share[@]}"
    share=(--token-key four/fra/token.key)
done
for region in "${regions[@]}"; do
    cards=()
    for other in "${regions[@]}"; do
        [ "$other" = "$region" ] || cards+=("four/$other/$other.card")
    done
    expect 0 region add "${cards[@]}" --config "four/$region/posthaste.yaml"
done
expect 0 token create --config four/fra/posthaste.yaml; token=$(cat out)
for region in "${regions[@]}"; do
    config=four/$region/posthaste.yaml
    expect 0 config check --config "$config"
    start serve --config "$config" --listen 127.0.0.1:0
    server=(--token "$token" --url "http://127.0.0.1:$(sed -n 's/.* port=\([0-9]*\).*/\1/p' <<<"$started")")
    expect 0 region list -o jsonl "${server[@]}"
    [ "$(sed -n 's/.*"name":"\([a-z]*\)".*/\1/p' out | xargs)" = "${regions[*]}" ] ||
        fail "$region knows all of them"
    [ "$(sed -n 's/.*"name":"\([a-z]*\)".*"state":"self".*/\1/p' out)" = "$region" ] ||
        fail "$region knows itself"
    expect 0 status "${server[@]}";                says out "REGION +$region\$"
    expect 0 region drain "$region" -o jsonl "${server[@]}";    says out '"draining":true'
    expect 0 region undrain "$region" -o jsonl "${server[@]}";  says out '"draining":false'
    expect 0 app create --name own --uid "$region" "${server[@]}" --mode processing --failover none
    says out "^HOME +$region\$"; says out '^MODE +processing$'
    expect 1 app create --name no --jurisdiction eu --home sin "${server[@]}"
    says err 'residency.home: must be in its jurisdiction: sin is'
    expect 1 app create --name no --home lhr "${server[@]}"; says err 'residency.home: no region is called'
    expect 0 endpoint create --app "$region" --to http://198.51.100.1/ --uid in "${server[@]}"
    why=(route explain --app "$region" --endpoint in "${server[@]}")
    expect 0 "${why[@]}";                          says out "^ → $region\.\$"
    expect 0 "${why[@]}" --what-if "region=$region:draining"; says out "$region: draining; so the home"
    expect 1 "${why[@]}" --what-if region=lhr:up;  says err 'whatIf: no region is called "lhr"'
    expect 0 "${why[@]}" -o jsonl;                 mv out item
    expect 0 route explain --recorded @item "${server[@]}";   says out "^ recorded 20.* → $region: MATCH\$"
    sed -i 's/"lastResort":false/"lastResort":true/' item
    expect 1 route explain --recorded @item "${server[@]}";   says out 'DIFFERENT: lastResort was true, is false$'
    kill "$pid"
done
unset token config

expect 0 init region
expect 2 region certificate show --config region/posthaste.yaml; says err 'this region is alone'
[ "$(stat -c %a region/master.key)" = 600 ] || fail 'the master key is for its owner alone'
cp region/master.key region/posthaste.yaml .
expect 1 init region;                    says err 'region/posthaste.yaml: is there already'
rm region/posthaste.yaml
expect 1 init region;                    says err 'region/master.key: is there already'
[ ! -e region/posthaste.yaml ] || fail 'a refused init leaves nothing behind'
cmp -s master.key region/master.key || fail 'init never overwrites'
mv posthaste.yaml region/

config=region/posthaste.yaml
expect 0 config check --config $config;  silent out
expect 0 config show --config $config;   says out '^delivery.timeout +30 +default$'
expect 0 config show --config $config -o jsonl; says out '"setting":"listen"'
expect 0 config show --config $config -o jsonl
sed 's/.*"setting":"\([^"]*\)".*/\1/' out | while read -r setting; do
    grep -q "^\*\(.*, \*\)\{0,1\}$setting\*" "$manual/posthaste.yaml.5.scd" ||
        fail "$setting is not in the manual"
done
expect 2 config show --config $config --output xml; says err 'xml.*none of table\|json\|jsonl'
expect 2 config check --config none.yaml; says err 'none.yaml'
expect 2 config check --config region;   says err "^posthaste: region: can't be read: is a directory$"
expect 2 config check;                   says err 'POSTHASTE_CONFIG'
expect 2 token create --config $config --expires soon; says err "'soon' is not a duration"
expect 0 token create --config $config --expires 1h
token=$(<out)
expect 2 key rotate;                     says err 'POSTHASTE_CONFIG'
expect 0 key rotate --offline --config $config; says err 'region/master.key.2$'
[ "$(stat -c %a region/master.key.2)" = 600 ] || fail 'a newer master key is for its owner alone'
expect 2 key retire 00000000 --config $config; says err "'00000000' is no key of this configuration"
cp region/master.key.2 region/master.key.3
expect 2 config check --config $config;  says err 'master.key.3: the same master key as in another file'
chmod 640 region/master.key.2
expect 2 config check --config $config;  says err 'master.key.2: others than its owner have access'
rm region/master.key.[23]
printf 'nonsense' >bad.key; chmod 600 bad.key
export POSTHASTE_MASTER_KEY_FILE=bad.key
expect 2 token create --config $config;  says err 'bad.key: not a master key'
expect 2 serve --config $config;         says err 'bad.key: not a master key'
export POSTHASTE_MASTER_KEY=nonsense
expect 2 token create --config $config;  says err 'POSTHASTE_MASTER_KEY: not a master key'
expect 2 serve --config $config;         says err 'POSTHASTE_MASTER_KEY: not a master key'
unset POSTHASTE_MASTER_KEY POSTHASTE_MASTER_KEY_FILE
expect 2 serve;                          says err '--config is missing'
# refused SETTING VALUE TEXT: by `config check` as by `serve`, with the place.
refused() {
    printf '%s:\n  %s: %s\n' "${1%.*}" "${1#*.}" "$2" >region/bad.yaml
    expect 2 config check --config region/bad.yaml
    says err "^posthaste: region/bad.yaml:2: $1: .*$3"
    mv err checked
    expect 2 serve --config region/bad.yaml --data region/bad
    cmp -s err checked || fail "serve doesn't say of $1 what config check says"
}
refused portal.url ftp://portal ''
refused portal.url "'https://portal.example/#a'" "must have no '#'"
refused delivery.name_servers foo 'ADDRESS:PORT'
refused delivery.allow_subnets '[300.0.0.0/8]' "'300.0.0.0/8' is not a subnet"
refused delivery.ca_file none.pem 'not found'
refused delivery.ca_file posthaste.yaml 'holds no certificate in PEM'
[ ! -e region/bad ] || fail 'what is wrong with the settings is said before anything is opened'
rm region/bad.yaml
export POSTHASTE_PORTAL_URL=https://portal.example/login

secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
id=msg_p5jXN8AQM9LWM0D4loKWxJek
signature='v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
printf '{"test": 2432232314}' >body
expect 0 sign --secret $secret --id $id --timestamp 1614265330 <body
says out "^webhook-signature: ${signature//+/[+]}$"
verify=(verify --secret "$secret" --id "$id" --timestamp 1614265330 --signature)
expect 1 "${verify[@]}" "$signature" <body;  says out 'too old'
expect 0 "${verify[@]}" "$signature" --tolerance 9999999999 <body; says out '^verified$'
expect 1 "${verify[@]}" "${signature/g0/A0}" <body; says out 'no signature fits'
expect 1 "${verify[@]}" 'v2,AAAA' <body;     says out 'no v1 signature'
expect 2 verify --secret whsec_short --id a --timestamp 1 --signature v1,a <body
pair=whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==
public=whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=
expect 0 sign --secret $pair --id $id --timestamp 1614265330 <body; says out '^webhook-signature: v1a,'
signed=$(sed -n 's/^webhook-signature: //p' out)
expect 0 verify --secret $public --id $id --timestamp 1614265330 --signature "$signed" --tolerance 999999999 <body
expect 2 sign --secret $public --id $id <body;  says err "a public key can't sign"
expect 2 sign --id a <body;                  says err '--secret is missing'

for form in table json jsonl; do
    expect 5 app list --url http://127.0.0.1:1 --token x -o $form; says err 'http://127.0.0.1:1: '; silent out
done
expect 2 app list;                       says err 'no server'
expect 2 app list --url http://127.0.0.1:1; says err 'no token'
expect 2 app list --url ftp://host --token x; silent out
expect 2 app list --url http://127.0.0.1:1 --token $'x\ny'; says err 'the token'
there=(--url http://127.0.0.1:1 --token x)
expect 2 app create "${there[@]}";           says err '--name is missing'
expect 2 endpoint create --app a "${there[@]}"; says err '--to is missing'
expect 2 event-type create "${there[@]}";    says err '--name is missing'
for name in '' . ..; do
    expect 2 app delete "$name" "${there[@]}"; says err "'$name' is no id or uid"
    expect 2 endpoint list --app "$name" "${there[@]}"
    expect 2 send --app "$name" a "${there[@]}"
    expect 2 token create --app "$name" --config $config "${there[@]}"; says err "'$name' is no id or uid"
done
expect 2 app create --name $'\xff' "${there[@]}"; says err '^posthaste: --name: not UTF-8$'
expect 2 app get $'\xff' "${there[@]}";         says err '^posthaste: APP: not UTF-8$'

# Whatever else answers there, it is no success.
for body in '' '<html>hi</html>' '[]' '{"ok":true}'; do
    foreign "$body"
    for command in 'app list -o json' 'app get x -o json' 'send --app x a.b' 'send --app x a.b --wait' 'message wait --app x m'; do
        read -r -a words <<<"$command"
        expect 1 "${words[@]}" --url "$foreign" --token x
        says err "^posthaste: $foreign: what answers there isn't posthaste$"
        silent out
    done
done
foreign '{"id":"msg_1","eventType":"a.b","channels":null}'
expect 1 send --app x a.b --wait --url "$foreign" --token x
says err "^posthaste: msg_1: its outcome can't be asked for$"; silent out
foreign '<html>hi</html>'
expect 1 health --url "$foreign"

# What can't be written is no success, and no file of ours gets the number of a closed one.
unwritable() {
    local last="posthaste $* to where nothing can be written" status=0
    checks=$((checks + 1))
    "$posthaste" "$@" >/dev/full 2>err <body || status=$?
    [ "$status" -eq 1 ] || fail "$last: exit $status, not 1"
    status=0
    "$posthaste" "$@" >&- 2>err <body || status=$?
    [ "$status" -eq 1 ] || fail "$last: exit $status, not 1, when it is closed"
    says err 'stdout: '
}
unwritable help
unwritable version
unwritable openapi
unwritable send --help
unwritable config show --config $config
unwritable token create --config $config
unwritable sign --secret $secret --id $id

# --- With one ---------------------------------------------------------------------------------

start serve --config $config --listen 127.0.0.1:0 --allow-subnet 127.0.0.0/8 --retry-schedule 0,0
serve=$pid
port=$(sed -n 's/.* port=\([0-9]*\).*/\1/p' <<<"$started")
expect 1 serve --config $config --listen "127.0.0.1:0"; says err 'in use'
export POSTHASTE_URL="http://127.0.0.1:$port/" POSTHASTE_TOKEN="$token"

expect 0 region list;                    says out '^NAME'
expect 0 region list -o jsonl;           says out '"state":"self"'
expect 3 region get fra

expect 0 app create --name Shop --uid shop --metadata team=a --rate-limit 7 -o jsonl
app=$(member id)
says out '"metadata":\{"team":"a"\}'
unwritable app list
expect 1 app create --name Shop --uid shop;  says err 'already exists'; silent out
expect 1 app create --name '';               says err '^posthaste: name: must not be empty$'
expect 1 app create --name a --uid '';       says err '^posthaste: uid: '
expect 0 app create --name Other
expect 0 app get shop;                       says out "^ID +$app$"
expect 0 app get "$app" --output json;       says out '^  "name": "Shop",$'
expect 3 app get none;                       says err 'not found'
expect 3 app get 'a/b?c'
expect 0 app update shop --rate-limit= --name 'The shop'; says out '^RATE LIMIT +-$'
expect 0 app create --name Shop --uid shop --get-if-exists;  says out "^ID +$app$"
expect 0 app replace shop --name 'The shop' --uid shop;  says out '^METADATA +\{\}$'
expect 0 app list --limit 1;                 says err 'more follow: --iterator app_'
expect 0 app list --limit 1 --all;           says out 'Other'; says out 'The shop'; silent err
expect 0 app list --limit 1 --all --order descending -o jsonl
[ "$(wc -l <out)" -eq 2 ] || fail 'a line for each item'
expect 1 app list --limit 0;                 says err 'limit'
expect 2 app list --order upwards;           says err "'upwards' is none of ascending\|descending"
expect 0 app list -o json;                   says out '^\[$'
expect 0 endpoint list --app shop -o json;   says out '^\[\]$'
expect 3 endpoint list --app none -o json;   silent out

expect 4 app list --token wrong;             silent out
env -u POSTHASTE_TOKEN "$posthaste" app list --token-file <(echo "$token") >out
expect 0 app list --config $config --url "$POSTHASTE_URL"
expect 0 token create --config $config --app shop
scoped=$(<out)
expect 0 app get shop --token "$scoped"
expect 4 app list --token "$scoped"
expect 3 token create --config $config --url "$POSTHASTE_URL" --app none
expect 0 app portal-access shop --expiry 3600 --feature-flags beta --session ada; says out '^URL +https://portal.example/login#token='
expect 0 app portal-access shop --read-only -o jsonl
portal=$(sed 's/.*"token":"\([^"]*\)".*/\1/' out)
expect 0 app get shop --token "$portal"
expect 4 endpoint create --app shop --to http://h/ --token "$portal"
expect 0 token logout --token "$portal";     silent out
expect 4 app get shop --token "$portal"
expect 0 token expire-all --app shop --sessions bob
expect 0 app get shop --token "$scoped"
expect 0 token expire-all --app shop;        silent out
expect 4 app get shop --token "$scoped"
expect 4 token logout;                       says err 'Insufficient access'
expect 1 token expire-all --app shop --expiry 604801; says err 'expiry'
expect 3 token expire-all --app none

expect 0 event-type create --name order.paid --description Paid --schemas '{"1":{"type":"object"}}'
expect 1 event-type create --name order.paid
expect 2 event-type create --name x --schemas '{"1":'; says err '--schemas: not JSON'
expect 0 event-type get order.paid -o jsonl; says out '"schemas":\{"1":\{"type":"object"\}\}'
expect 0 event-type update order.paid --deprecated; says out '^DEPRECATED +true$'
expect 0 event-type update order.paid --feature-flags beta,eu --group orders -o jsonl
says out '"featureFlags":\["beta","eu"\],"groupName":"orders"'
expect 0 event-type replace order.lost --description Lost;  says out '^DEPRECATED +false$'
expect 0 event-type delete order.lost --expunge;  silent out
cat >webhooks.yaml <<'YAML'
webhooks:
  order.paid: {post: {summary: Paid in full}}
  order.lost: {post: {summary: Lost}}
YAML
expect 0 event-type import webhooks.yaml --dry-run --replace-all; says out '^MODIFIED +order.lost,order.paid$'
expect 3 event-type get order.lost
expect 0 event-type import - <webhooks.yaml
expect 0 event-type get order.lost;          says out '^DESCRIPTION +Lost$'
expect 1 event-type import $config;          says err 'webhooks'
expect 2 event-type import none.yaml;        says err 'none.yaml'
expect 0 event-type list;                    says out '^order.paid +Paid in full'

expect 0 health --token '';                  silent out
expect 0 ping;                               silent out
env -u POSTHASTE_TOKEN "$posthaste" health || fail 'health needs no token'
expect 5 health --url http://127.0.0.1:1;    silent out

start listen --count 1 -o jsonl
listen=$pid
hook=${started#listening on }
expect 0 endpoint create --app shop --uid books --to "$hook" --header 'X-Key: a: b' \
    --channels eu,us --event-types order.paid --secret $secret -o jsonl
endpoint=$(member id)
expect 1 endpoint create --app shop --to 'ftp://h/'; says err '^posthaste: url: '
expect 1 endpoint create --app shop --to '';   says err '^posthaste: url: '; grep -q 'a string' err && fail 'an empty URL is a string'
expect 0 endpoint get --app shop "$endpoint";  says out '^CHANNELS +eu,us$'
expect 0 endpoint secret --app shop books;     says out "^$secret$"
expect 0 endpoint headers --app shop books;    says out '"X-Key":"a: b"'
expect 0 endpoint set-headers --app shop books --header 'X-Other: c'; silent out
expect 0 endpoint headers --app shop books -o jsonl; says out '"headers":\{"X-Other":"c"\}'
expect 0 endpoint update-headers --app shop books --header 'X-More: d' --delete-header X-Other,X-None
expect 0 endpoint headers --app shop books -o jsonl; says out '"headers":\{"X-More":"d"\}'
expect 0 endpoint update --app shop books --channels= --event-types=; says out '^CHANNELS +-$'
expect 0 endpoint list --app shop;             says out "$endpoint"

expect 0 send --app shop order.paid -d '{"n": 12345678901234567890}' --wait --event-id first
says out '^STATUS +success$'
message=$(sed -n 's/^MESSAGE *//p' out)
wait "$listen"
says listen.out "\"id\":\"$message\".*\"status\":204.*12345678901234567890"
expect 1 send --app shop order.paid -d '{}' --event-id first; says err 'conflict'
expect 1 send --app shop order.paid -d '[]';   says err '^posthaste: payload: '
expect 2 send --app shop order.paid -d '{';    says err '--data: not JSON'
expect 2 send --app shop order.paid -d @none;  says err 'none: No such file'
expect 3 send --app none order.paid
expect 1 send --app shop order.paid -d '{}' --wait; says out '^STATUS +fail$'; says out '^ANSWER +[a-zA-Z]'
message=$(sed -n 's/^MESSAGE *//p' out)
expect 0 attempt list --app shop --message "$message" -o jsonl; says out '"responseStatusCode":0'
reason=$(member response)
expect 0 attempt list --app shop --message "$message";  says out " fail +$reason +"
expect 0 attempt list --app shop --message "$message" --no-content;  says out ' fail +0 +'

# The receiver is back, and fails twice; the one behind it gets what passes.
start listen --status 202 -o jsonl
behind=$pid
port=${hook##*:}
mv listen.out behind.out
start listen --port "${port%/}" --secret $secret --fail 2 --forward-to "${started#listening on }"
listen=$pid
expect 0 send --app shop order.paid -d @body --channels eu --tags blue --payload-retention-hours 24 --idempotency-key once -o jsonl
message=$(member id)
says out '"payload":\{"test":2432232314\}'
expect 0 send --app shop order.paid -d @body --idempotency-key once -o jsonl
[ "$(member id)" = "$message" ] || fail 'a key used twice is one message'
expect 0 message wait --app shop "$message"; says out 'success +202'
expect 0 attempt list --app shop --message "$message" -o jsonl
[ "$(wc -l <out)" -eq 3 ] || fail 'two failures and a success'
attempt=$(sed -n '1s/.*"id":"\(atmpt_[^"]*\)".*/\1/p' out)
expect 0 attempt get --app shop --message "$message" "$attempt"; says out '^ANSWER +202$'
expect 0 attempt list --app shop --endpoint books --status fail --limit 1; says out ' fail +'
expect 0 attempt list --app shop --endpoint books --status 2 --limit 1;  says out ' fail +'
expect 0 attempt list --app shop --endpoint books --status canceled;     silent out
expect 2 attempt list --app shop --endpoint books --status gone
says err "--status: 'gone' is none of success\\|pending\\|fail\\|sending\\|canceled"
expect 0 message destinations --app shop "$message";           says out ' success +'
expect 0 message precheck --app shop --event-type order.paid --channels eu -o jsonl;  says out '"active":true'
expect 0 message list --app shop --tag blue;                    says out "^$message .* blue +"
expect 0 attempt list --app shop --endpoint books --tag red;    silent out
expect 0 endpoint messages --app shop books --status success;   says out "^$message .* success +"
expect 0 endpoint messages --app shop books --status 2
grep -q "$message" out && fail 'what was delivered has not failed'
expect 0 endpoint stats --app shop books -o jsonl;              says out '"success":2,.*"fail":5,"canceled":0'
expect 1 endpoint stats --app shop books --until 2999-01-01T00:00:00Z;  says err 'future'
grep -q REGION out && fail 'a region alone has no column for regions'
expect 0 resend --app shop --endpoint books "$message"; silent out
expect 3 resend --app shop --endpoint none "$message"
expect 2 resend --app shop "$message";         says err '--endpoint is missing'
expect 0 recover --app shop --since 1h books -o jsonl;  says out '"task":"endpoint.recover"'
expect 0 background-task get "$(member id)";   says out '^TASK +endpoint.recover$'
expect 2 recover --app shop --since soon books;         says err "--since: 'soon' is not a time"
expect 1 recover --app shop --since 30d books; says err '^posthaste: since: '
expect 3 recover --app shop --since 1h none
expect 2 replay --app shop --since 1h books;   says err 'one of --dry-run and --yes'
expect 2 replay --app shop --since 1h books --yes --missing --status 2;  says err 'takes no --status'
expect 0 replay --app shop --since 1h books --yes --missing;             says out 'endpoint.replay'
expect 0 replay --app shop --since 1h books --dry-run --event-type order.paid --status success -o jsonl
task=$(member id)
until expect 0 background-task get "$task" && grep -q finished out; do :; done
says out '^DELIVERIES +[1-9]'
expect 0 background-task list --status finished --task endpoint.bulk-replay --all;  says out "$task"
expect 2 attempt list --app shop;              says err '--message or --endpoint is missing'
expect 0 message list --app shop --since 1h --event-type order.paid,none --limit 1 -o jsonl
newest=$(member id)
expect 0 message list --app shop --limit 1 -o jsonl
[ "$(member id)" = "$newest" ] || fail 'the newest since then come first'
expect 0 message list --app shop --all --limit 1 --since 1h -o jsonl;  mv out one
expect 0 message list --app shop -o jsonl
cmp -s one out || fail 'all since then are all'
at=$(sed -n '1s/.*"timestamp":"\([^"]*\)".*/\1/p' out)
expect 0 message list --app shop --since "$at" --until "$at" -o jsonl;  says out "\"timestamp\":\"$at\""
expect 0 message list --app shop --after "$at" -o jsonl;    silent out
expect 0 message list --app shop --until 1h;   silent out
expect 0 message list --app shop --event-type a --event-type order.paid --limit 1;  says out 'order.paid'
expect 0 attempt list --app shop --endpoint books --status-code-class 200 --since 1h --before 2999-01-01T00:00:00Z
says out ' success +'
expect 0 endpoint messages --app shop books --since 1h --status 0;  says out "^$message .* success +"
expect 2 message list --app shop --since 1h --after 2h;     says err 'one of --since and --after, not both'
expect 2 message list --app shop --since yesterday;         says err "'yesterday' is not a time such as"
expect 2 endpoint update --app shop books --enable --disable;  says err 'one of --enable and --disable'
expect 0 endpoint stats --app shop books --since 1h -o jsonl;  says out '"success":[1-9]'
expect 0 attempt expunge --app shop --message "$message" "$attempt";  silent out
expect 0 attempt get --app shop --message "$message" "$attempt"; says out '^BODY +EXPUNGED$'
expect 0 message expunge --app shop "$message";                 silent out
expect 0 message get --app shop "$message";                     says out '"expired":true'
# Answers wrap a payload that is as deep as may be.
deep=$(printf '{"a":%.0s' {1..127})1$(printf '}%.0s' {1..127})
expect 0 app create --name Deep --uid deep
expect 0 send --app deep order.paid -d "$deep" --tags deep --event-id deep
expect 0 message get --app deep deep -o jsonl;                  says out "\"payload\":$deep"
expect 0 message list --app deep -o jsonl;                      says out "\"payload\":$deep"
expect 0 message expunge-some --app shop --messages "$message,none" -o jsonl
says out '"none":"not-found"'
expect 0 app create --name Purged --uid purged
expect 2 message expunge-all --app purged;                      says err '--yes is needed'
expect 0 message expunge-all --app purged --yes;                says out '^TASK +application.purge_content$'
expect 3 message expunge --app shop none;                       says err 'not found'
ends 0 "$listen" listen
ends 0 "$behind" listen
cp listen.out out
says out "$message  20 bytes  answered 500  verified"
says out "$message  20 bytes  answered 202  verified"
cp behind.out out
says out "\"id\":\"$message\".*\"verified\":null,.*\"status\":202"

expect 0 message list --app shop;              says out "$message"
expect 0 message list --app shop --no-content --limit 1 -o jsonl 
expect 0 message get --app shop first -o json; says out '12345678901234567890'
expect 3 message get --app shop none
expect 0 route explain --app shop --endpoint books;         says out '^ → this region\.$'
expect 0 route explain --app shop --message "$message";     says out 'No decision of that time is recorded'
expect 2 route explain --app shop;             says err 'one of --endpoint, --message and --recorded'
expect 1 route explain --endpoint books;       says err 'appId: is expected with an endpoint'
expect 3 route explain --app shop --endpoint none
expect 0 status;                               says out '^PENDING +[0-9]+$'
                                               says out '^MESSAGES GONE +0$'
expect 0 status -o jsonl;                      says out '"regionalSchema":[0-9]+'

# What is sent while an endpoint is paused waits for it; an example goes where it is told.
start listen
expect 0 app create --name Quiet --uid quiet
expect 0 endpoint create --app quiet --uid in --to "${started#listening on }" --event-types order.paid
expect 0 endpoint pause --app quiet in;        says out '^DISABLED +true$'
expect 0 endpoint test --app quiet in -o jsonl;  says out '"payload":\{"success":true\}'
message=$(member id)
expect 1 endpoint test --app quiet in --event-type order.paid;  says err 'has no such example'
expect 3 endpoint test --app quiet in --event-type order.gone
expect 3 endpoint test --app quiet none
expect 2 endpoint test --app quiet in --example-index 1;  says err '--example-index needs --event-type'
expect 0 attempt list --app quiet --message "$message";  silent out
expect 1 send --app quiet order.paid --wait --timeout 0 --event-id late
says err '^posthaste: msg_[0-9A-Za-z]{27}: no outcome within 0 s$'; silent out
expect 1 send --app quiet order.lost --wait --timeout 999
says err '^posthaste: msg_[0-9A-Za-z]{27}: no endpoint wants it$'; silent out
expect 0 endpoint resume --app quiet in;       says out '^DISABLED +false$'
expect 0 message wait --app quiet "$message";  says out ' success +'
ends 0 "$pid" listen
expect 1 endpoint test --app quiet in --wait;  says out '^STATUS +fail$'

# On a terminal rows fit into it, or a row into two of its lines; ids are whole, and what is cut says so.
expect 0 app create --name "Größte Töne $(printf 'x%.0s' {1..99})" --uid "$(printf 'u%.0s' {1..30})" -o jsonl
wide=$(member id)
on_terminal 120 app list
says out "^$wide u{30} Größte Tö[nex ]*… "
[ "$(wc -L <out)" -le 120 ] || fail "$last: wider than that"
on_terminal 80 app list;                       says out "^$wide u{30} "
[ "$(wc -L <out)" -le 160 ] || fail "$last: wider than two lines of it"
on_terminal 80 attempt list --app quiet --message "$message"
says out "^atmpt_[^ ]+ $message ep_[^ ]+ success .*127\.0.*…$"
on_terminal 80 app list --all --limit 1
[ "$(awk '{ print index($0, $2) }' out | sort -u | wc -l)" -eq 1 ] || fail "$last: columns stay where they are"
on_terminal 40 app get "$wide";                says out "^ID +$wide$"

# Operational endpoints.
expect 0 operational-endpoint list;            silent out
expect 3 operational-endpoint get pager
expect 1 operational-endpoint create --to "$hook" --event-types order.paid;  says err 'eventTypes'
expect 0 operational-endpoint create --to "$hook" --uid pager --event-types endpoint.disabled --secret "$secret"
says out '^EVENT TYPES +endpoint.disabled$'
expect 0 operational-endpoint list;            says out 'pager'
expect 0 operational-endpoint get pager -o jsonl;  says out '"channels":null'
expect 0 operational-endpoint replace pager --to "$hook" --uid pager;  says out '^EVENT TYPES +-$'
expect 0 operational-endpoint update pager --disable;  says out '^DISABLED +true$'
expect 0 operational-endpoint secret pager;    says out "^$secret$"
expect 0 operational-endpoint set-headers pager --header 'X-Key: a';  silent out
expect 0 operational-endpoint headers pager;   says out '"X-Key":"a"'
expect 0 operational-endpoint rotate-secret pager --grace 60
expect 0 app list -o jsonl
! grep -q operational out || fail 'the management application is listed'
expect 0 operational-endpoint delete pager;    silent out

expect 0 endpoint rotate-secret --app shop books
expect 0 endpoint secret --app shop books
[ "$(<out)" != $secret ] || fail 'another secret'
expect 0 endpoint update --app shop books --disable; says out '^DISABLED +true$'
expect 0 endpoint delete --app shop books;     silent out
expect 3 endpoint get --app shop books
expect 0 event-type delete order.paid
expect 0 app delete shop
expect 3 app get shop

ends 0 "$serve" serve
echo "cli: $checks commands did what they should"
