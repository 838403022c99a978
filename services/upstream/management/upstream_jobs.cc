#include "services/upstream/management/upstream_jobs.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/status/oci_error.h"

namespace entrepot::upstream {

absl::StatusOr<v1::UpstreamJob> UpstreamJobs::Start(const std::string& kind, Work work) {
  const auto may_start = [&](const std::vector<std::string>& running_ids) -> absl::Status {
    if (running_ids.size() < kRunningMax) return absl::OkStatus();
    return OciError(OciErrorCode::kTooManyRequests, absl::StrCat(kRunningMax, " ", kind, " run, which is the most"),
                    "wait until one ends");
  };
  return jobs_.Start(kind, {}, may_start, std::move(work));
}

}  // namespace entrepot::upstream
