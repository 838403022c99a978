#ifndef ENTREPOT_SERVICES_TOKEN_KEY_SET_H_
#define ENTREPOT_SERVICES_TOKEN_KEY_SET_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/token/verification_key.h"

namespace entrepot::token {

// Public keys by their ids: a JSON Web Key Set (RFC 7517). Immutable once it is built; then thread-safe.
class KeySet {
 public:
  KeySet() = default;
  // Of keys with one kid the first counts.
  explicit KeySet(const std::vector<VerificationKey>& keys);

  // Keys of other types and uses than a signature's are left out. kInvalidArgument: no key set, more than 100 keys, a
  // duplicate kid, or a key that is malformed, weak (RSA below 2048 bits) or private.
  static absl::StatusOr<KeySet> Parse(absl::string_view text);

  std::string ToJson() const;
  // nullptr without one. A map's lookup and nothing else: a kid is never part of a path or a query.
  const VerificationKey* Find(absl::string_view kid) const;
  // The only key of a set of one, else nullptr.
  const VerificationKey* Only() const;
  bool empty() const { return keys_.empty(); }

 private:
  std::map<std::string, VerificationKey, std::less<>> keys_;
};

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_KEY_SET_H_
