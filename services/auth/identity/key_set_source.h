#ifndef ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_SOURCE_H_
#define ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_SOURCE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "services/token/key_set.h"

namespace entrepot::auth {

// Where an identity provider's public keys come from. Thread-safe.
class KeySetSource {
 public:
  using Keys = std::shared_ptr<const token::KeySet>;

  virtual ~KeySetSource() = default;
  // Those that are known, no older than the source allows. kUnavailable: there are none.
  virtual absl::StatusOr<Keys> Get() = 0;
  // After a kid that Get() did not have: newer ones, if the source may be asked again already, else the same.
  virtual absl::StatusOr<Keys> GetNewer() = 0;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_IDENTITY_KEY_SET_SOURCE_H_
