#ifndef ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_H_
#define ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace entrepot {

// Defined by failpoint_control alone, which only tests link: in the programs that are shipped it is not there, and
// nothing can put it there while they run.
[[gnu::weak]] absl::Status ReachFailpoint(absl::string_view name);

// A step between two effects of which the second may never come: tests make the process stop, fail or die here.
// Always OK elsewhere. Named "manifest.collector.condemned": service, part, what has just been done.
//
//   RETURN_IF_ERROR(Failpoint("blob.publish.renamed"));
inline absl::Status Failpoint(absl::string_view name) {
  return ReachFailpoint == nullptr ? absl::OkStatus() : ReachFailpoint(name);
}

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_H_
