#ifndef ENTREPOT_SERVICES_WIRE_CONTENT_MESSAGES_H_
#define ENTREPOT_SERVICES_WIRE_CONTENT_MESSAGES_H_

#include "absl/status/statusor.h"
#include "entrepot/types/v1/blob.pb.h"
#include "entrepot/types/v1/caller.pb.h"
#include "services/core/caller.h"
#include "services/core/content.h"

// Conversions between the messages that several services use (proto/entrepot/types/v1) and the values that the code
// uses. kInvalidArgument, with an OCI code: a message is invalid.
namespace entrepot {

types::v1::Blob ToMessage(const Blob& blob);
absl::StatusOr<Blob> FromMessage(const types::v1::Blob& message);

types::v1::Caller ToMessage(const Caller& caller);
Caller FromMessage(const types::v1::Caller& message);

// The caller of a request that has one.
template <typename Request>
Caller CallerOf(const Request& request) {
  return FromMessage(request.caller());
}

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_WIRE_CONTENT_MESSAGES_H_
