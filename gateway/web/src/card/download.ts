// Hands a file to the browser.

export function download(name: string, file: Blob): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has read the address by then; the file lives until it lets go.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
