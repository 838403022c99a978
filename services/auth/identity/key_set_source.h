#ifndef ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_SOURCE_H_
#define ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_SOURCE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "services/token/key_set.h"

namespace entrepot::auth {

// The source of an identity provider's public keys: a file (KeySetFile) or a server (RemoteKeySet). Thread-safe.
class KeySetSource {
 public:
  using Keys = std::shared_ptr<const token::KeySet>;

  virtual ~KeySetSource() = default;
  // The known keys, no older than the source allows. kUnavailable: there are none.
  virtual absl::StatusOr<Keys> Get() = 0;
  // For a token whose kid is not among the keys of Get(): newer keys if the source may be read again already, otherwise
  // the same.
  virtual absl::StatusOr<Keys> GetNewer() = 0;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_SOURCE_H_
