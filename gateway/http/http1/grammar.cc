#include "gateway/http/http1/grammar.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "absl/strings/ascii.h"
#include "services/core/text/host_and_port.h"

namespace entrepot::gateway::http {
namespace {

enum : uint8_t { kToken = 1, kTarget = 2, kHost = 4 };

constexpr absl::string_view kSubDelimiters = "!$&'()*+,;=";

constexpr std::array<uint8_t, 256> MakeClasses() {
  std::array<uint8_t, 256> classes{};
  const auto add = [&classes](absl::string_view bytes, uint8_t bits) {
    for (const char c : bytes) classes[static_cast<unsigned char>(c)] |= bits;
  };
  for (int c = '0'; c <= '9'; ++c) classes[c] = kToken | kTarget | kHost;
  for (int c = 'a'; c <= 'z'; ++c) classes[c] = kToken | kTarget | kHost;
  for (int c = 'A'; c <= 'Z'; ++c) classes[c] = kToken | kTarget | kHost;
  add("!#$%&'*+-.^_`|~", kToken);
  add("-._~", kTarget | kHost);
  add(kSubDelimiters, kTarget | kHost);
  add("%", kTarget | kHost);
  add(":@/?", kTarget);
  return classes;
}

constexpr std::array<uint8_t, 256> kClasses = MakeClasses();

bool AllOf(absl::string_view text, uint8_t bits) {
  return std::all_of(text.begin(), text.end(),
                     [bits](char c) { return (kClasses[static_cast<unsigned char>(c)] & bits) != 0; });
}

bool HasWholePercentEscapes(absl::string_view text) {
  for (size_t i = text.find('%'); i != absl::string_view::npos; i = text.find('%', i + 3)) {
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(text[i + 1]) || !absl::ascii_isxdigit(text[i + 2])) return false;
  }
  return true;
}

// "[" IPv6 address "]". Only its bytes are checked, because nothing here connects to it.
bool IsBracketedAddress(absl::string_view host) {
  const absl::string_view inside = host.substr(1, host.size() - 2);
  return inside.size() >= 2 && inside.find(':') != absl::string_view::npos &&
         std::all_of(inside.begin(), inside.end(),
                     [](char c) { return absl::ascii_isxdigit(c) || c == ':' || c == '.'; });
}

}  // namespace

size_t FindControl(absl::string_view text, size_t from) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = 0x80 * kOnes;
  while (from + 8 <= text.size()) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + from, 8);
    // Finds every byte below 0x20 and every 0x7f. It also finds tabs and some neighbours, which the loop below
    // excludes.
    const uint64_t below_space = (word - 0x20 * kOnes) & ~word;
    const uint64_t delete_is_zero = word ^ (0x7f * kOnes);
    const uint64_t is_delete = (delete_is_zero - kOnes) & ~delete_is_zero;
    if (((below_space | is_delete) & kHighs) != 0) {
      for (const size_t end = from + 8; from < end; ++from) {
        if (IsControl(text[from])) return from;
      }
      continue;
    }
    from += 8;
  }
  while (from < text.size() && !IsControl(text[from])) ++from;
  return from;
}

bool IsTokenByte(char c) { return (kClasses[static_cast<unsigned char>(c)] & kToken) != 0; }

bool IsToken(absl::string_view text) { return !text.empty() && AllOf(text, kToken); }

bool IsTargetText(absl::string_view text) { return AllOf(text, kTarget); }

bool IsAuthority(absl::string_view text) {
  if (text.empty()) return false;
  size_t host_size = 0;
  if (text.front() == '[') {
    const size_t close = text.find(']');
    if (close == absl::string_view::npos || !IsBracketedAddress(text.substr(0, close + 1))) return false;
    host_size = close + 1;
  } else {
    host_size = std::min(text.find(':'), text.size());
    const absl::string_view host = text.substr(0, host_size);
    if (host.empty() || !AllOf(host, kHost) || !HasWholePercentEscapes(host)) return false;
  }
  if (host_size == text.size()) return true;
  if (text[host_size] != ':') return false;
  const absl::string_view port = text.substr(host_size + 1);
  return port.empty() || IsPort(port);  // The grammar allows "host:".
}

absl::string_view TrimBlanks(absl::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace entrepot::gateway::http
