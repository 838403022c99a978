#ifndef ENTREPOT_SERVICES_TOKEN_KEY_SET_H_
#define ENTREPOT_SERVICES_TOKEN_KEY_SET_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/token/verification_key.h"

namespace entrepot::token {

// A JSON Web Key Set (RFC 7517): public keys by id. Immutable once it is built; then thread-safe.
class KeySet {
 public:
  KeySet() = default;
  // Of several keys with the same kid, the first is used.
  explicit KeySet(const std::vector<VerificationKey>& keys);

  // Leaves out keys that are not for signatures. kInvalidArgument: the text is not a key set, has more than 100 keys, a
  // duplicate kid, or a key that is malformed, weak (RSA below 2048 bits) or private.
  static absl::StatusOr<KeySet> Parse(absl::string_view text);

  std::string ToJson() const;
  // The key with this kid, or nullptr. Only looks it up in a map: a kid is never part of a path or a query.
  const VerificationKey* Find(absl::string_view kid) const;
  // The key of a set that has exactly one, otherwise nullptr.
  const VerificationKey* Only() const;
  bool empty() const { return keys_.empty(); }

 private:
  std::map<std::string, VerificationKey, std::less<>> keys_;
};

}  // namespace entrepot::token

#endif  // ENTREPOT_SERVICES_TOKEN_KEY_SET_H_
