import type { Command } from '../command.ts'
import { usageError } from '../errors.ts'

/** Each asks `raind __complete WORDS...`, one candidate a line; where there is none the shell offers files. */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_raind() {
  local line=\${COMP_LINE:0:COMP_POINT} word separators IFS=$' \\t\\n'
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  word=\${words[-1]}
  IFS=$'\\n'
  COMPREPLY=($(raind __complete "\${words[@]:1}" 2> /dev/null))
  if [[ \${#COMPREPLY[@]} -eq 0 ]]; then
    COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
  else
    separators=\${COMP_WORDBREAKS//[^:=]}
    [[ -n $separators ]] && COMPREPLY=("\${COMPREPLY[@]#"\${word%"\${word##*[$separators]}"}"}")
  fi
}
complete -F _raind raind
`,
  zsh: `#compdef raind
_raind() {
  local -a found
  found=("\${(@f)$(raind __complete "\${(@)words[2,CURRENT]}" 2> /dev/null)}")
  found=(\${found:#})
  if (( \${#found} )); then compadd -- "\${found[@]}"; else _files; fi
}
compdef _raind raind
`,
  fish: `function __raind_complete
  set -l words (commandline -opc) (commandline -ct)
  raind __complete $words[2..] 2> /dev/null
end
complete -c raind -a '(__raind_complete)'
`,
}

export const completion: Command = {
  names: ['completion'],
  summary: 'Print the completion script of a shell: bash, zsh or fish',
  usage: 'SHELL',
  minArgs: 1,
  maxArgs: 1,
  async run({ terminal, args }) {
    const script = SCRIPTS[args[0]!]
    if (script === undefined) throw usageError(`There is no completion for "${args[0]}"`, 'There is: bash, zsh, fish')
    terminal.stdout.write(script)
  },
}
