/**
 * Replaces `$(NAME)` by the value of that variable, and `$$` by `$`. What names no variable stays as it is: Kubernetes'
 * rules (third_party/forked/golang/expansion).
 */
export function expandVariables(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (reference, name: string | undefined) =>
    name === undefined ? '$' : (variables.get(name) ?? reference),
  )
}
