#include "services/auth/credentials/bcrypt_hash.h"

#include <crypt.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace entrepot::auth {
namespace {

constexpr size_t kHashBytes = 60;
constexpr size_t kSaltEnd = 29;
constexpr int kCostMin = 4;
// The highest cost that htpasswd supports: a few seconds.
constexpr int kCostMax = 17;

bool IsBcryptDigit(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '/'; }

int ParseCost(absl::string_view text) {
  if (!absl::ascii_isdigit(static_cast<unsigned char>(text[4])) ||
      !absl::ascii_isdigit(static_cast<unsigned char>(text[5]))) {
    return 0;
  }
  return (text[4] - '0') * 10 + (text[5] - '0');
}

// The result of crypt(3) for the password with the salt of `setting`; empty if it fails.
std::string Crypt(absl::string_view password, const std::string& setting) {
  const std::string phrase(password.substr(0, std::min(password.find('\0'), kBcryptPasswordBytesMax)));
  // On the heap: it has 32 KiB.
  const auto data = std::make_unique<crypt_data>();
  const char* const hash = crypt_rn(phrase.c_str(), setting.c_str(), data.get(), sizeof(crypt_data));
  std::string result(hash == nullptr ? "" : hash);
  OPENSSL_cleanse(data.get(), sizeof(crypt_data));
  return result;
}

}  // namespace

absl::StatusOr<BcryptHash> BcryptHash::Parse(absl::string_view text) {
  constexpr std::array<absl::string_view, 3> kKinds = {"$2y$", "$2b$", "$2a$"};
  if (std::none_of(kKinds.begin(), kKinds.end(),
                   [&](absl::string_view kind) { return absl::StartsWith(text, kind); })) {
    return absl::InvalidArgumentError("the hash is not a bcrypt hash ($2y$, $2b$ or $2a$): create it with htpasswd -B");
  }
  if (text.size() != kHashBytes || text[6] != '$' || !std::all_of(text.begin() + 7, text.end(), IsBcryptDigit)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the bcrypt hash is malformed (it has ", text.size(),
                     " characters; 60 are right, behind \"$2y$NN$\" only of ./A-Za-z0-9)"));
  }
  const int cost = ParseCost(text);
  if (cost < kCostMin || cost > kCostMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the bcrypt hash's cost is not a number from 0", kCostMin, " to ", kCostMax));
  }
  return BcryptHash(std::string(text));
}

BcryptHash BcryptHash::Make(absl::string_view password, int cost) {
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> salt{};
  // If it gets no random bytes, it uses the kernel's.
  if (crypt_gensalt_rn("$2b$", static_cast<unsigned long>(cost), nullptr, 0, salt.data(), salt.size()) == nullptr) {
    std::abort();
  }
  const std::string hash = Crypt(password, salt.data());
  if (hash.size() != kHashBytes) std::abort();
  return BcryptHash(hash);
}

BcryptHash BcryptHash::Dummy(int cost) {
  return BcryptHash(absl::StrCat("$2b$", absl::Dec(cost, absl::kZeroPad2), "$", std::string(53, '.')));
}

bool BcryptHash::Matches(absl::string_view password) const {
  const std::string made = Crypt(password, text_.substr(0, kSaltEnd));
  // The result has the prefix of `setting`, so that equal passwords give equal texts.
  const bool equal = made.size() == text_.size() && CRYPTO_memcmp(made.data(), text_.data(), text_.size()) == 0;
  return equal && password.find('\0') == absl::string_view::npos;
}

int BcryptHash::cost() const { return ParseCost(text_); }

}  // namespace entrepot::auth
