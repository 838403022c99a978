#include "services/auth/records/secret.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <array>

#include "absl/strings/str_cat.h"
#include "services/core/text/lower_hex.h"

namespace entrepot::auth {
namespace {

constexpr size_t kRandomBytes = 32;

}  // namespace

std::string NewSecret(absl::string_view prefix) { return absl::StrCat(prefix, RandomLowerHex(kRandomBytes)); }

std::string Sha256(absl::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash;
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
  return std::string(reinterpret_cast<const char*>(hash.data()), hash.size());
}

bool SecretsEqual(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace entrepot::auth
