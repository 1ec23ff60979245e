/** The part of the package that is used; it has no types of its own. */
declare module 'seek-bzip' {
  const Bunzip: {
    /** The unpacked bytes. Throws a TypeError where the data is damaged (its checksums are compared) or cut short. */
    decode(packed: Buffer): Buffer;
  };
  export default Bunzip;
}
