#include "services/core/text/utf8.h"

#include <cstdint>

namespace entrepot {
namespace {

bool IsContinuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

// The length of the sequence that starts with these two bytes; 0 if none does. The bounds of the second byte rule out
// overlong forms, surrogates and code points above U+10FFFF.
size_t SequenceLength(uint8_t first, uint8_t second) {
  if (first >= 0xC2 && first <= 0xDF) return IsContinuation(second) ? 2 : 0;
  const uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (second < low || second > high) return 0;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 0;
}

}  // namespace

size_t Utf8PrefixLength(absl::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const uint8_t first = static_cast<uint8_t>(text[at]);
    if (first < 0x80) {
      ++at;
      continue;
    }
    if (at + 1 >= text.size()) return at;
    const size_t length = SequenceLength(first, static_cast<uint8_t>(text[at + 1]));
    if (length == 0 || at + length > text.size()) return at;
    for (size_t i = 2; i < length; ++i) {
      if (!IsContinuation(static_cast<uint8_t>(text[at + i]))) return at;
    }
    at += length;
  }
  return at;
}

}  // namespace entrepot
