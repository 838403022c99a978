#include "services/manifest/maintenance/maintenance_jobs.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/time/proto_time.h"
#include "services/status/quoted_input.h"

namespace entrepot::manifest {
namespace {

constexpr size_t kRemembered = 20;

}  // namespace

MaintenanceJobs::MaintenanceJobs(const Clock* clock)
    : clock_(*clock), id_prefix_(absl::StrCat(absl::Hex(absl::ToUnixMicros(clock->Now())), "-")) {}

MaintenanceJobs::~MaintenanceJobs() {
  stopping_ = true;
  std::list<Entry*> running;
  {
    absl::MutexLock lock(&mutex_);
    for (Entry& entry : entries_) running.push_back(&entry);
  }
  for (Entry* entry : running) entry->thread.join();
}

absl::StatusOr<v1::Job> MaintenanceJobs::Start(const std::string& kind, Work work) {
  absl::MutexLock lock(&mutex_);
  for (const Entry& entry : entries_) {
    if (entry.job.kind() == kind && entry.job.state() == v1::Job::RUNNING) {
      return absl::AlreadyExistsError(
          absl::StrCat("the job ", entry.job.id(), " of that kind is running; wait for its end"));
    }
  }
  ForgetOldest();
  Entry& entry = entries_.emplace_front();
  entry.job.set_id(absl::StrCat(id_prefix_, ++started_));
  entry.job.set_kind(kind);
  entry.job.set_state(v1::Job::RUNNING);
  *entry.job.mutable_started_at() = ToTimestamp(clock_.Now());
  entry.thread = std::thread([this, work = std::move(work), &entry] { Run(work, &entry); });
  return Shown(entry);
}

void MaintenanceJobs::ForgetOldest() {
  while (entries_.size() >= kRemembered) {
    const auto oldest = std::find_if(entries_.rbegin(), entries_.rend(),
                                     [](const Entry& entry) { return entry.job.state() != v1::Job::RUNNING; });
    if (oldest == entries_.rend()) return;
    // The job has ended; its thread is about to return from Run().
    oldest->thread.join();
    entries_.erase(std::next(oldest).base());
  }
}

void MaintenanceJobs::Run(const Work& work, Entry* entry) {
  const Pace pace = [this, entry](uint64_t operations, uint64_t bytes) {
    entry->operations += operations;
    entry->bytes += bytes;
    return !stopping_;
  };
  v1::Job result;
  const absl::Status status = work(pace, &result);
  absl::MutexLock lock(&mutex_);
  entry->job.MergeFrom(result);
  entry->job.set_state(status.ok() && !stopping_ ? v1::Job::DONE : v1::Job::FAILED);
  if (stopping_) {
    entry->job.set_error("the registry was stopped");
  } else if (!status.ok()) {
    entry->job.set_error(std::string(status.message()));
  }
  *entry->job.mutable_ended_at() = ToTimestamp(clock_.Now());
}

v1::Job MaintenanceJobs::Shown(const Entry& entry) {
  v1::Job job = entry.job;
  if (job.state() == v1::Job::RUNNING && entry.operations > 0) {
    job.set_progress(absl::StrCat(entry.operations.load(), " steps"));
    if (entry.bytes > 0) absl::StrAppend(job.mutable_progress(), ", ", entry.bytes >> 20, " MiB");
  }
  return job;
}

absl::StatusOr<v1::Job> MaintenanceJobs::Get(absl::string_view id) const {
  absl::MutexLock lock(&mutex_);
  for (const Entry& entry : entries_) {
    if (entry.job.id() == id) return Shown(entry);
  }
  return absl::NotFoundError(absl::StrCat("there is no job ", QuotedInput(id),
                                          "; it may be older than the last restart or the last ", kRemembered,
                                          " jobs"));
}

std::vector<v1::Job> MaintenanceJobs::List() const {
  absl::MutexLock lock(&mutex_);
  std::vector<v1::Job> jobs;
  for (const Entry& entry : entries_) {
    jobs.push_back(Shown(entry));
    jobs.back().clear_result();
  }
  return jobs;
}

}  // namespace entrepot::manifest
