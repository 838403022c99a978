#include "services/upstream/management/upstream_jobs.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/time/proto_time.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"

namespace entrepot::upstream {

UpstreamJobs::UpstreamJobs(const Clock* clock)
    : clock_(*clock), id_prefix_(absl::StrCat(absl::Hex(absl::ToUnixMicros(clock->Now())), "-")) {}

UpstreamJobs::~UpstreamJobs() {
  Stop();
  std::list<Entry*> entries;
  {
    const absl::MutexLock lock(&mutex_);
    for (Entry& entry : entries_) entries.push_back(&entry);
  }
  for (Entry* const entry : entries) entry->thread.join();
}

absl::StatusOr<v1::UpstreamJob> UpstreamJobs::Start(const std::string& kind, Work work) {
  const absl::MutexLock lock(&mutex_);
  if (stop_.stopped()) return absl::CancelledError("the registry stops");
  const auto running = std::count_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.kind == kind && entry.job.state() == v1::UpstreamJob::RUNNING;
  });
  if (running >= static_cast<std::ptrdiff_t>(kRunningMax)) {
    return OciError(OciErrorCode::kTooManyRequests, absl::StrCat(kRunningMax, " ", kind, " run, which is the most"),
                    "wait until one ends");
  }
  ForgetOldest();
  Entry& entry = entries_.emplace_front();
  entry.kind = kind;
  entry.job.set_id(absl::StrCat(id_prefix_, ++started_));
  entry.job.set_state(v1::UpstreamJob::RUNNING);
  *entry.job.mutable_started_at() = ToTimestamp(clock_.Now());
  entry.thread = std::thread([this, work = std::move(work), &entry] { Run(work, &entry); });
  return entry.job;
}

void UpstreamJobs::ForgetOldest() {
  while (entries_.size() >= kRememberedMax) {
    const auto oldest = std::find_if(entries_.rbegin(), entries_.rend(),
                                     [](const Entry& entry) { return entry.job.state() != v1::UpstreamJob::RUNNING; });
    if (oldest == entries_.rend()) return;
    // The job has ended; its thread is about to return from Run().
    oldest->thread.join();
    entries_.erase(std::next(oldest).base());
  }
}

void UpstreamJobs::Run(const Work& work, Entry* entry) {
  const Show show = [this, entry](const std::function<void(v1::UpstreamJob*)>& change) {
    const absl::MutexLock lock(&mutex_);
    change(&entry->job);
  };
  const absl::Status status = work(show, &stop_);
  const absl::MutexLock lock(&mutex_);
  if (stop_.stopped()) {
    entry->job.set_state(v1::UpstreamJob::FAILED);
    entry->job.set_error("the registry was stopped");
  } else if (!status.ok()) {
    entry->job.set_state(v1::UpstreamJob::FAILED);
    entry->job.set_error(std::string(status.message()));
  } else {
    entry->job.set_state(v1::UpstreamJob::DONE);
  }
  *entry->job.mutable_ended_at() = ToTimestamp(clock_.Now());
}

absl::StatusOr<v1::UpstreamJob> UpstreamJobs::Get(absl::string_view id) const {
  const absl::MutexLock lock(&mutex_);
  for (const Entry& entry : entries_) {
    if (entry.job.id() == id) return entry.job;
  }
  return absl::NotFoundError(absl::StrCat("there is no job ", QuotedInput(id),
                                          "; it may be older than the last restart or the last ", kRememberedMax,
                                          " jobs"));
}

void UpstreamJobs::Stop() { stop_.Stop(); }

}  // namespace entrepot::upstream
