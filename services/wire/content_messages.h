#ifndef ENTREPOT_SERVICES_WIRE_CONTENT_MESSAGES_H_
#define ENTREPOT_SERVICES_WIRE_CONTENT_MESSAGES_H_

#include "absl/status/statusor.h"
#include "entrepot/types/v1/blob.pb.h"
#include "entrepot/types/v1/caller.pb.h"
#include "services/core/caller.h"
#include "services/core/content.h"

// The conversions of the messages that several services use, both ways. A message that cannot be parsed is
// kInvalidArgument with its OCI code.
namespace entrepot {

types::v1::Blob ToMessage(const Blob& blob);
absl::StatusOr<Blob> FromMessage(const types::v1::Blob& message);

types::v1::Caller ToMessage(const Caller& caller);
Caller FromMessage(const types::v1::Caller& message);

// The caller of any request that has one.
template <typename Request>
Caller CallerOf(const Request& request) {
  return FromMessage(request.caller());
}

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_WIRE_CONTENT_MESSAGES_H_
