#ifndef ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_H_
#define ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// Defined only by failpoint_control, which only tests link. Shipped programs do not contain it, and cannot load it
// while they run.
[[gnu::weak]] absl::Status ReachFailpoint(absl::string_view name);

// Marks a point where a crash may happen between two writes. Tests make the process stop, fail or die here; otherwise
// it always returns OK. The name, such as "blob.publish.renamed", contains the service, the part, and the step just
// done.
//
//   RETURN_IF_ERROR(Failpoint("blob.publish.renamed"));
inline absl::Status Failpoint(absl::string_view name) {
  return ReachFailpoint == nullptr ? absl::OkStatus() : ReachFailpoint(name);
}

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_H_
