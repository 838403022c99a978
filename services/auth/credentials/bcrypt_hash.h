#ifndef ENTREPOT_SERVICES_AUTH_CREDENTIALS_BCRYPT_HASH_H_
#define ENTREPOT_SERVICES_AUTH_CREDENTIALS_BCRYPT_HASH_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::auth {

// bcrypt ignores the bytes of a password beyond this.
inline constexpr size_t kBcryptPasswordBytesMax = 72;

// The hash of a password in the format of `htpasswd -B`: "$2y$05$" (2a, 2b or 2y; a cost of 4 to 17), followed by 53
// characters of salt and hash. Immutable and thread-safe.
class BcryptHash {
 public:
  // kInvalidArgument: the text is not such a hash; the message gives the reason, without containing the text.
  static absl::StatusOr<BcryptHash> Parse(absl::string_view text);
  // Hashes with a new random salt. Takes as long as Matches().
  static BcryptHash Make(absl::string_view password, int cost);
  // A hash that no known password matches.
  static BcryptHash Dummy(int cost);

  // Compares in constant time. Takes 2^cost units of work, whatever the password: a few milliseconds for 5, a quarter
  // of a second for 12. A password that contains NUL does not match. Only the first 72 bytes of a longer password
  // count.
  bool Matches(absl::string_view password) const;

  const std::string& ToString() const { return text_; }
  int cost() const;

 private:
  explicit BcryptHash(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_CREDENTIALS_BCRYPT_HASH_H_
