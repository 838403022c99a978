#ifndef ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_UPSTREAM_JOBS_H_
#define ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_UPSTREAM_JOBS_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/upstream/v1/management.pb.h"
#include "services/core/time/clock.h"
#include "services/runtime/threads/job_table.h"

namespace entrepot::upstream {

// The jobs that operators have started (services/runtime/threads/job_table.h). Thread-safe.
class UpstreamJobs {
 public:
  // Of one kind, so that pulls from an upstream that hangs leave room for its test.
  static constexpr size_t kRunningMax = 8;
  // Running and ended ones, of which an eviction may list 1000 images. The oldest that has ended is forgotten first.
  static constexpr size_t kRememberedMax = 50;

  // The kind that cannot be cancelled.
  static constexpr char kEvictions[] = "evictions";

  using Show = runtime::JobTable<v1::UpstreamJob>::Show;
  using Work = runtime::JobTable<v1::UpstreamJob>::Work;

  // `clock` outlives the jobs.
  explicit UpstreamJobs(const Clock* clock) : jobs_(clock, kRememberedMax) {}

  // Starts a job and returns its state. `kind` is the plural for messages: "pulls". `what` is shown in the list of
  // jobs. kResourceExhausted (TOOMANYREQUESTS): kRunningMax jobs of that kind run. kCancelled: after Stop().
  absl::StatusOr<v1::UpstreamJob> Start(const std::string& kind, Work work, const std::string& what = "");
  // kNotFound: there is no such job, or it is not remembered any more.
  absl::StatusOr<v1::UpstreamJob> Get(absl::string_view id) const { return jobs_.Get(id); }
  // Newest first.
  v1::UpstreamJobList List() const;
  // Makes a running job end soon, and returns its state now; what it has done stays. One that has ended stays as it is.
  // kNotFound as Get(). kFailedPrecondition: it is an eviction, which is one call of the manifest service.
  absl::StatusOr<v1::UpstreamJob> Cancel(absl::string_view id);
  // Ends the jobs soon. Does not wait.
  void Stop() { jobs_.Stop(); }

 private:
  runtime::JobTable<v1::UpstreamJob> jobs_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_UPSTREAM_JOBS_H_
