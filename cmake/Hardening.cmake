# Warnings, hardening and sanitizers, carried to every target by one interface library.
add_library(posthaste_flags INTERFACE)

target_compile_definitions(posthaste_flags INTERFACE
    _GNU_SOURCE POSTHASTE_VERSION="${PROJECT_VERSION}")

# Assertions stay in every build.
target_compile_options(posthaste_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
    -Wvla -Wswitch-enum -UNDEBUG -fno-common -fstack-protector-strong -fno-omit-frame-pointer
    $<$<BOOL:${POSTHASTE_WERROR}>:-Werror>)

if(POSTHASTE_FUZZ)
    target_compile_options(posthaste_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(POSTHASTE_SANITIZE)
    target_compile_options(posthaste_flags INTERFACE
        -fsanitize=${POSTHASTE_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(posthaste_flags INTERFACE -fsanitize=${POSTHASTE_SANITIZE})
else()
    target_compile_options(posthaste_flags INTERFACE
        -fPIE $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
    target_link_options(posthaste_flags INTERFACE
        $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie> -Wl,-z,relro,-z,now)
endif()
