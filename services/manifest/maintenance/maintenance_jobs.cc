#include "services/manifest/maintenance/maintenance_jobs.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/time/proto_time.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using Jobs = runtime::JobTable<v1::Job>;

constexpr size_t kRemembered = 20;
constexpr absl::Duration kPublishedEvery = absl::Seconds(1);

bool IsRunning(const v1::Job& job) { return job.state() == v1::Job::RUNNING; }

absl::Status IsRunningAlready(absl::string_view id) {
  return absl::AlreadyExistsError(absl::StrCat("the job ", id, " of the same kind is running; wait for its end"));
}

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

MaintenanceJobs::MaintenanceJobs(const Clock* clock, kv::KvEngine* shared_kv)
    : clock_(*clock), jobs_(clock, kRemembered) {
  if (shared_kv == nullptr) return;
  records_.emplace(shared_kv, clock);
  publisher_ = std::make_unique<runtime::PeriodicTask>(kPublishedEvery, [this] { Publish(); });
}

MaintenanceJobs::~MaintenanceJobs() {
  publisher_.reset();
  if (!records_.has_value()) return;
  jobs_.StopAndWait();
  // Other processes learn that the jobs have ended.
  Publish();
}

absl::StatusOr<v1::Job> MaintenanceJobs::Start(const std::string& kind, Work work) {
  if (records_.has_value()) RETURN_IF_ERROR(CheckOthers(kind));
  const auto may_start = [](const std::vector<std::string>& running_ids) -> absl::Status {
    return running_ids.empty() ? absl::OkStatus() : IsRunningAlready(running_ids.front());
  };
  v1::Job job;
  job.set_kind(kind);
  absl::StatusOr<v1::Job> started = jobs_.Start(
      kind, std::move(job), may_start,
      [work = std::move(work)](const Jobs::Show& show, StopSignal* stop) { return Run(work, show, *stop); });
  if (started.ok() && records_.has_value()) {
    // The next question about the job may be put to another process.
    Publish();
    records_->RemoveOld().IgnoreError();
  }
  return started;
}

absl::StatusOr<v1::Job> MaintenanceJobs::Get(absl::string_view id) {
  absl::StatusOr<v1::Job> job = jobs_.Get(id);
  if (!records_.has_value() || !absl::IsNotFound(job.status())) return job;
  ASSIGN_OR_RETURN(std::optional<v1::Job> found, records_->Read(id));
  return found.has_value() ? *std::move(found) : job;
}

std::vector<v1::Job> MaintenanceJobs::List() {
  std::vector<v1::Job> jobs = jobs_.List();
  if (records_.has_value()) {
    absl::StatusOr<std::vector<v1::Job>> all = records_->List();
    for (v1::Job& other : all.ok() ? *all : std::vector<v1::Job>()) {
      const auto is_same = [&](const v1::Job& own) { return own.id() == other.id(); };
      if (std::none_of(jobs.begin(), jobs.end(), is_same)) jobs.push_back(std::move(other));
    }
    std::stable_sort(jobs.begin(), jobs.end(), [](const v1::Job& a, const v1::Job& b) {
      return FromTimestamp(a.started_at()) > FromTimestamp(b.started_at());
    });
  }
  for (v1::Job& job : jobs) job.clear_result();
  return jobs;
}

absl::Status MaintenanceJobs::CheckOthers(const std::string& kind) {
  ASSIGN_OR_RETURN(const std::vector<v1::Job> jobs, records_->List());
  for (const v1::Job& job : jobs) {
    // This process knows the state of its own jobs better.
    if (job.kind() == kind && IsRunning(job) && !jobs_.Get(job.id()).ok()) return IsRunningAlready(job.id());
  }
  return absl::OkStatus();
}

void MaintenanceJobs::Publish() {
  const absl::MutexLock lock(&publishing_);
  std::map<std::string, Published> still;
  for (const v1::Job& job : jobs_.List()) {
    Published& last = still[job.id()];
    if (const auto found = published_.find(job.id()); found != published_.end()) last = found->second;
    const absl::Time now = clock_.Now();
    const bool changed = last.state != job.state() || last.progress != job.progress();
    if (!changed && (!IsRunning(job) || absl::AbsDuration(now - last.at) < JobRecords::kWrittenEvery)) continue;
    if (records_->Write(job).ok()) last = {.state = job.state(), .progress = job.progress(), .at = now};
  }
  published_ = std::move(still);
}

}  // namespace entrepot::manifest
