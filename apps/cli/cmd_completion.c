/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cmds.h"
#include "cli/output.h"

/* The scripts know how their shell wants to be answered, and nothing of the commands:
 * they ask `liana complete` (cli/complete.h), so that no script is ever out of date. */

static const char bash[] =
    "# bash completion of liana\n"
    "_liana() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} word i answer part\n"
    "    local -a words=() answers=()\n"
    "    # bash parts words at = and :, too; what stands together in the line is one.\n"
    "    for ((i = 0; i <= COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if ((i == 0)) || [[ $line == [[:blank:]]* ]]; then\n"
    "            line=${line#\"${line%%[![:blank:]]*}\"}\n"
    "            words+=(\"\")\n"
    "        fi\n"
    "        ((i < COMP_CWORD)) || word=$line\n"
    "        words[${#words[@]}-1]+=$word\n"
    "        line=${line#\"$word\"}\n"
    "    done\n"
    "    word=${words[${#words[@]}-1]}\n"
    "    part=$word\n"
    "    [[ $COMP_WORDBREAKS != *=* ]] || part=${word#*=}\n"
    "    mapfile -t answers < <(\"${words[0]}\" complete -- \"${words[@]:1}\" "
    "2>/dev/null)\n"
    "    COMPREPLY=()\n"
    "    case ${answers[0]-} in\n"
    "    :files) mapfile -t COMPREPLY < <(compgen -f -- \"${word#--*=}\") ;;\n"
    "    :folders) mapfile -t COMPREPLY < <(compgen -d -- \"${word#--*=}\") ;;\n"
    "    *)\n"
    "        for answer in \"${answers[@]}\"; do\n"
    "            answer=${answer%%$'\\t'*}\n"
    "            COMPREPLY+=(\"${answer#\"${word%\"$part\"}\"}\")\n"
    "        done\n"
    "        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null\n"
    "        return\n"
    "        ;;\n"
    "    esac\n"
    "    compopt -o filenames 2>/dev/null\n"
    "}\n"
    "complete -F _liana liana\n";

static const char zsh[] =
    "#compdef liana\n"
    "# zsh completion of liana\n"
    "_liana() {\n"
    "    local -a answers plain values\n"
    "    local answer word text\n"
    "    answers=(\"${(@f)$(\"${(Q)words[1]}\" complete -- \"${(@Q)words[2,CURRENT]}\" "
    "2>/dev/null)}\")\n"
    "    case $answers[1] in\n"
    "    :files | :folders)\n"
    "        compset -P '--*='\n"
    "        if [[ $answers[1] == :files ]]; then _files; else _files -/; fi\n"
    "        return\n"
    "        ;;\n"
    "    esac\n"
    "    for answer in $answers; do\n"
    "        word=${answer%%$'\\t'*} text=${answer#*$'\\t'}\n"
    "        answer=${word//:/\\\\:}${text:+:$text}\n"
    "        if [[ $word == *= ]]; then values+=($answer); else plain+=($answer); fi\n"
    "    done\n"
    "    _describe -t words liana plain -- values -S ''\n"
    "}\n"
    "if [[ $funcstack[1] == _liana ]]; then _liana \"$@\"; else compdef _liana liana; "
    "fi\n";

static const char fish[] =
    "# fish completion of liana\n"
    "function __liana_complete\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    set -l answers ($words[1] complete -- $words[2..-1] 2>/dev/null)\n"
    "    set -l head (string match -r -- '^--[^=]*=' $words[-1])\n"
    "    set -l rest (string replace -r -- '^--[^=]*=' '' $words[-1])\n"
    "    switch \"$answers[1]\"\n"
    "        case :files\n"
    "            string replace -r -- '^' \"$head\" (__fish_complete_path $rest)\n"
    "        case :folders\n"
    "            string replace -r -- '^' \"$head\" (__fish_complete_directories "
    "$rest)\n"
    "        case '*'\n"
    "            printf '%s\\n' $answers\n"
    "    end\n"
    "end\n"
    "complete -c liana -f -a '(__liana_complete)'\n";

static const struct {
    const char *shell;
    const char *script;
} scripts[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

static int run(struct cli *cli, const struct cli_args *args)
{
    const char *shell = cli_operand(args, 0);

    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        if (strcmp(scripts[i].shell, shell) == 0) {
            fputs(scripts[i].script, cli->out);
            return CLI_OK;
        }
    }
    return cli_error(cli, LIANA_EINVAL, "'%s' is none of bash, zsh, fish", shell);
}

const struct cli_cmd cli_cmd_completion = {
    .name = "completion",
    .summary = "print the completion script of a shell",
    .operands = "bash|zsh|fish",
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
    .help =
        "'make install' puts the scripts where the shells look for them. Without it:\n"
        "\n"
        "    source <(liana completion bash)      # in ~/.bashrc\n"
        "    source <(liana completion zsh)       # in ~/.zshrc, behind compinit\n"
        "    liana completion fish | source       # in ~/.config/fish/config.fish\n",
};
