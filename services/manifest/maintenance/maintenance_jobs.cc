#include "services/manifest/maintenance/maintenance_jobs.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"

namespace entrepot::manifest {
namespace {

using Jobs = runtime::JobTable<v1::Job>;

constexpr size_t kRemembered = 20;

absl::Status Run(const MaintenanceJobs::Work& work, const Jobs::Show& show, const StopSignal& stop) {
  std::atomic<uint64_t> operations{0};
  std::atomic<uint64_t> bytes{0};
  const Pace pace = [&](uint64_t more_operations, uint64_t more_bytes) {
    operations += more_operations;
    bytes += more_bytes;
    if (operations > 0) {
      show([&](v1::Job* job) {
        job->set_progress(absl::StrCat(operations.load(), " steps"));
        if (bytes > 0) absl::StrAppend(job->mutable_progress(), ", ", bytes.load() >> 20, " MiB");
      });
    }
    return !stop.stopped();
  };
  v1::Job result;
  const absl::Status status = work(pace, &result);
  show([&](v1::Job* job) {
    job->clear_progress();
    job->MergeFrom(result);
  });
  return status;
}

}  // namespace

MaintenanceJobs::MaintenanceJobs(const Clock* clock) : jobs_(clock, kRemembered) {}

absl::StatusOr<v1::Job> MaintenanceJobs::Start(const std::string& kind, Work work) {
  const auto may_start = [](const std::vector<std::string>& running_ids) -> absl::Status {
    if (running_ids.empty()) return absl::OkStatus();
    return absl::AlreadyExistsError(
        absl::StrCat("the job ", running_ids.front(), " of that kind is running; wait for its end"));
  };
  v1::Job job;
  job.set_kind(kind);
  return jobs_.Start(
      kind, std::move(job), may_start,
      [work = std::move(work)](const Jobs::Show& show, StopSignal* stop) { return Run(work, show, *stop); });
}

std::vector<v1::Job> MaintenanceJobs::List() const {
  std::vector<v1::Job> jobs = jobs_.List();
  for (v1::Job& job : jobs) job.clear_result();
  return jobs;
}

}  // namespace entrepot::manifest
