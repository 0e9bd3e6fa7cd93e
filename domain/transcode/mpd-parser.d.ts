/** Of the parser that the tests read our DASH manifests with: it brings no types. */
declare module "mpd-parser" {
  interface ParsedSegment {
    readonly uri: string
    readonly resolvedUri: string
    readonly duration: number
    readonly number: number
    readonly presentationTime: number
    readonly map: { readonly uri: string; readonly resolvedUri: string }
  }
  interface ParsedPlaylist {
    readonly attributes: Readonly<Record<string, unknown>>
    readonly segments: ReadonlyArray<ParsedSegment>
    readonly endList: boolean
    readonly targetDuration: number
  }
  interface ParsedTrack {
    readonly language: string
    readonly default: boolean
    readonly playlists: ReadonlyArray<ParsedPlaylist & { readonly resolvedUri: string }>
  }
  type Tracks = Readonly<Record<string, Readonly<Record<string, ParsedTrack>>>>
  export const parse: (
    text: string,
    options: { readonly manifestUri: string },
  ) => {
    readonly duration: number
    readonly minimumUpdatePeriod?: number
    readonly playlists: ReadonlyArray<ParsedPlaylist>
    readonly mediaGroups: { readonly AUDIO: Tracks; readonly SUBTITLES: Tracks }
  }
}
