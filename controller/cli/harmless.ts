/** Text that strangers' programs have printed, without what moves the cursor of a terminal, or worse. */
export function harmless(text: string): string {
  return text.replace(/\r+(?=\n|$)/g, '').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}
