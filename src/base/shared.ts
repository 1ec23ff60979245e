/** Values that are made once for the same objects and text, and kept as long as the objects are. */
export class SharedBy<Of extends object> {
  private readonly made = new WeakMap<object, WeakMap<object, Map<string, Of>>>();

  get(one: object, other: object, text: string, make: () => Of): Of {
    const texts = this.textsOf(one, other);
    const known = texts.get(text);
    if (known) return known;
    const value = make();
    texts.set(text, value);
    return value;
  }

  private textsOf(one: object, other: object): Map<string, Of> {
    const others = this.made.get(one) ?? new WeakMap<object, Map<string, Of>>();
    const known = others.get(other);
    if (known) return known;
    const texts = new Map<string, Of>();
    this.made.set(one, others.set(other, texts));
    return texts;
  }
}
