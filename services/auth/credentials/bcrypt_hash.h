#ifndef ENTREPOT_SERVICES_AUTH_CREDENTIALS_BCRYPT_HASH_H_
#define ENTREPOT_SERVICES_AUTH_CREDENTIALS_BCRYPT_HASH_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::auth {

// bcrypt looks at no more of a password.
inline constexpr size_t kBcryptPasswordBytesMax = 72;

// A password's hash as htpasswd -B writes it: "$2y$05$" (2a, 2b or 2y; the cost, 4 to 17) and 53 characters of salt and
// hash. Immutable and thread-safe.
class BcryptHash {
 public:
  // kInvalidArgument: what is wrong with the text, without the text.
  static absl::StatusOr<BcryptHash> Parse(absl::string_view text);
  // Of a new random salt. Takes as long as Matches().
  static BcryptHash Make(absl::string_view password, int cost);
  // No password is known that matches it.
  static BcryptHash Dummy(int cost);

  // Compares in constant time. Takes 2^cost units of work, whatever the password: a few milliseconds for 5, a quarter
  // of a second for 12. A password with a NUL in it matches nothing, of one that is too long the first 72 bytes count.
  bool Matches(absl::string_view password) const;

  const std::string& ToString() const { return text_; }
  int cost() const;

 private:
  explicit BcryptHash(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_CREDENTIALS_BCRYPT_HASH_H_
