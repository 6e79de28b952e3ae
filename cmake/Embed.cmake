# posthaste_embed(LIBRARY DIR [FILE...]): compile every file below DIR into LIBRARY, as bytes, and
# FILEs that the build makes, by their names.
#
# The generated `embedded.c` defines one table, sorted by path; see core/embedded.h.
function(posthaste_embed library dir)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${dir}/*)
    list(SORT files)
    list(APPEND files ${ARGN})
    string(MAKE_C_IDENTIFIER ${dir} name)
    set(out ${CMAKE_BINARY_DIR}/embedded/${name}.c)
    set(text "#include \"core/embedded.h\"\n\n")
    set(table "")
    set(index 0)
    foreach(file IN LISTS files)
        file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR}/${dir} ${file})
        if(file IN_LIST ARGN)
            get_filename_component(path ${file} NAME)
        endif()
        string(APPEND text
            "__asm__(\".section .rodata\\n.global embedded_${name}_${index}\\n\"\n"
            "        \"embedded_${name}_${index}:\\n.incbin \\\"${file}\\\"\\n\"\n"
            "        \".global embedded_${name}_${index}_end\\n\"\n"
            "        \"embedded_${name}_${index}_end:\\n.byte 0\\n.previous\\n\");\n"
            "extern const char embedded_${name}_${index}[], embedded_${name}_${index}_end[];\n")
        string(APPEND table
            "    { \"${path}\", embedded_${name}_${index}, embedded_${name}_${index}_end },\n")
        math(EXPR index "${index} + 1")
    endforeach()
    string(APPEND text
        "\nconst struct embedded_file embedded_${name}[] = {\n${table}    { 0, 0, 0 },\n};\n")
    file(CONFIGURE OUTPUT ${out} CONTENT "${text}" @ONLY)
    set_source_files_properties(${out} PROPERTIES OBJECT_DEPENDS "${files}")
    target_sources(${library} PRIVATE ${out})
endfunction()
