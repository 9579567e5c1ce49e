// Writes DER (ITU-T X.690, 10 and 11). Each function returns the bytes of one
// value; nothing here reads any.

export function join(parts) {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function tagged(tag, ...parts) {
  const content = join(parts);
  const length = [];
  for (let n = content.length; n > 0; n >>>= 8) length.unshift(n & 255);
  if (content.length === 0) length.push(0);
  if (content.length > 127) length.unshift(128 | length.length);
  return join([Uint8Array.of(tag, ...length), content]);
}

export const sequence = (...parts) => tagged(0x30, ...parts);
export const set = (...parts) => tagged(0x31, ...parts.sort(compare)); // SET OF
export const octets = (bytes) => tagged(0x04, bytes);
export const bits = (bytes) => tagged(0x03, Uint8Array.of(0), bytes);
export const utf8 = (text) => tagged(0x0c, new TextEncoder().encode(text));
export const bmp = (text) => tagged(0x1e, utf16(text));
export const nothing = () => tagged(0x05);
export const explicit = (n, ...parts) => tagged(0xa0 | n, ...parts);

// integer takes a number that is not negative, or its bytes, the highest first.
export function integer(value) {
  let bytes = value;
  if (typeof value === "number") bytes = Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
  let first = 0;
  while (first < bytes.length - 1 && bytes[first] === 0) first++;
  const sign = bytes[first] > 127 ? [0] : [];
  return tagged(0x02, Uint8Array.from(sign), bytes.subarray(first));
}

export function oid(dotted) {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 127];
    for (let n = arc >>> 7; n > 0; n >>>= 7) groups.unshift(128 | (n & 127));
    bytes.push(...groups);
  }
  return tagged(0x06, Uint8Array.from(bytes));
}

// utf16 is text in two bytes a character, the higher first.
export function utf16(text) {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) bytes.set([text.charCodeAt(i) >>> 8, text.charCodeAt(i) & 255], i * 2);
  return bytes;
}

// pem frames a value for people's files (RFC 7468).
export function pem(label, der) {
  const base64 = btoa(Array.from(der, (byte) => String.fromCharCode(byte)).join(""));
  return `-----BEGIN ${label}-----\n${base64.match(/.{1,64}/g).join("\n")}\n-----END ${label}-----\n`;
}

// unframed are the values that a PEM file holds, in its order.
export function unframed(text) {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => {
    const base64 = block.replace(/-----[^-]+-----/g, "").replace(/\s/g, "");
    return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  });
}

function compare(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
