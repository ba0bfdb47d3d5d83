/** Another engine, asked over its own API. */
export interface Peer extends AsyncDisposable {
  readonly name: string
  pull(image: string): Promise<void>
  /** Create and start, a request each; resolves with the id. */
  run(image: string): Promise<string>
  remove(id: string): Promise<void>
}
