#include "services/core/text/lower_hex.h"

#include <sys/random.h>
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "absl/strings/escaping.h"

namespace entrepot {

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return ('0' <= c && c <= '9') || ('a' <= c && c <= 'f'); });
}

std::string RandomLowerHex(size_t byte_count) {
  std::array<char, 32> bytes;
  if (byte_count > bytes.size()) std::abort();
  // getrandom() returns up to 256 bytes at once, or fails with EINTR while the kernel's pool is not ready yet.
  ssize_t given = 0;
  do {
    given = getrandom(bytes.data(), byte_count, 0);
  } while (given < 0 && errno == EINTR);
  if (given != static_cast<ssize_t>(byte_count)) std::abort();
  return absl::BytesToHexString(absl::string_view(bytes.data(), byte_count));
}

}  // namespace entrepot
