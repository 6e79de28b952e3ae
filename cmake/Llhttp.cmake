# llhttp: the library where there is one (Debian 13's libllhttp-dev), else the C sources of
# Debian 12's node-llhttp, installed or as script/bootstrap unpacks them, in the strict mode that
# later versions always have.
pkg_check_modules(libllhttp IMPORTED_TARGET libllhttp)

if(libllhttp_FOUND)
    add_library(llhttp INTERFACE)
    target_link_libraries(llhttp INTERFACE PkgConfig::libllhttp)
else()
    find_path(LLHTTP_SHARE llhttp/llhttp.c NO_DEFAULT_PATH
        PATHS ${CMAKE_SOURCE_DIR}/build/third_party/node-llhttp/usr/share /usr/share)
    if(NOT LLHTTP_SHARE)
        message(FATAL_ERROR "There is no llhttp: run script/bootstrap, or install libllhttp-dev.")
    endif()
    file(GLOB sources ${LLHTTP_SHARE}/llhttp/*.c)
    add_library(llhttp STATIC ${sources})
    target_compile_definitions(llhttp PRIVATE LLHTTP_STRICT_MODE=1)
    target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_SHARE}/include/llhttp)
    target_link_libraries(llhttp PRIVATE posthaste_flags)
    target_compile_options(llhttp PRIVATE -w) # generated; its warnings aren't ours
endif()
