#include "services/upstream/management/upstream_jobs.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/status/oci_error.h"

namespace entrepot::upstream {

absl::StatusOr<v1::UpstreamJob> UpstreamJobs::Start(const std::string& kind, Work work, const std::string& what) {
  const auto may_start = [&](const std::vector<std::string>& running_ids) -> absl::Status {
    if (running_ids.size() < kRunningMax) return absl::OkStatus();
    return OciError(OciErrorCode::kTooManyRequests, absl::StrCat(kRunningMax, " ", kind, " run, which is the most"),
                    "wait until one ends");
  };
  v1::UpstreamJob job;
  job.set_what(what);
  return jobs_.Start(kind, std::move(job), may_start, std::move(work));
}

v1::UpstreamJobList UpstreamJobs::List() const {
  v1::UpstreamJobList list;
  for (v1::UpstreamJob& job : jobs_.List()) *list.add_jobs() = std::move(job);
  return list;
}

absl::StatusOr<v1::UpstreamJob> UpstreamJobs::Cancel(absl::string_view id) {
  return jobs_.Cancel(id, [](const std::string& kind) {
    if (kind != kEvictions) return absl::OkStatus();
    return absl::FailedPreconditionError("an eviction cannot be cancelled");
  });
}

}  // namespace entrepot::upstream
