#include "services/upstream/fetch/blob_fetches.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/core/time/deadline.h"
#include "services/core/time/stop_signal.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_macros.h"
#include "services/upstream/fetch/ahead_reader.h"
#include "services/upstream/fetch/blob_fetch.h"
#include "services/upstream/fetch/claim_keeper.h"
#include "services/upstream/fetch/client_counts.h"
#include "services/upstream/fetch/fetch_metrics.h"
#include "services/upstream/fetch/fetch_progress.h"
#include "services/upstream/fetch/range_requests.h"
#include "services/upstream/fetch/spool_file.h"

namespace entrepot::upstream {
namespace {

// Each keeps a descriptor and its bytes on the disk.
constexpr size_t kEndedMax = 128;
constexpr absl::Duration kRetryAfter = absl::Seconds(5);
// One client gets one part of so many of Options::fetches_waiting_max.
constexpr size_t kShareOfClient = 4;
// Beside those of the fetches that run: they look for blobs that other processes fetch.
constexpr size_t kLookThreads = 2;

using Key = std::pair<std::string, std::string>;  // Repository, digest.

class BlobFetchesImpl final : public BlobFetches {
 public:
  BlobFetchesImpl(CacheStore* store, Options options)
      : store_(store),
        options_(std::move(options)),
        metrics_(options_.registry),
        claims_(store, {.holder = options_.holder,
                        .lifetime = options_.claim_lifetime,
                        .renewal_interval = options_.claim_lifetime * 0.3}) {}
  ~BlobFetchesImpl() override;

  absl::StatusOr<std::unique_ptr<FetchReader>> Open(std::shared_ptr<UpstreamRegistry> upstream,
                                                    const CachedRepository& repository, const Digest& digest,
                                                    const std::string& client) override;
  void Stop() override;

 private:
  using Lock = std::unique_lock<std::mutex>;
  using Progress = std::shared_ptr<FetchProgress>;

  struct Waiting {
    std::string client;
    std::unique_ptr<BlobFetch> fetch;
  };
  struct Job {
    // Who started it.
    std::string client;
    std::unique_ptr<BlobFetch> fetch;
    // It has one of the places of its upstream. Otherwise it only looks into the store.
    bool may_run = false;
  };
  struct Ended {
    Key key;
    Progress progress;
    Deadline until;
  };

  std::unique_ptr<FetchReader> NewReader(Progress progress, std::shared_ptr<UpstreamRegistry> upstream,
                                         const CachedRepository& repository, const Digest& digest) const;

  // All with the lock, but for Work().
  //
  // The body of a thread.
  void Work();
  // kUnavailable if as many fetches wait and run as may: of all upstreams, of this one, or of this client.
  absl::Status CheckRoom(const std::string& upstream, const std::string& client) const;
  // False if there is no thread, and none can be started.
  bool StartThreadIfNeeded();
  // The first fetch whose time to look has come, or else one that waits and may run (the contract says which); null if
  // there is none.
  Job TakeNext();
  bool MayRun(const std::string& upstream) const;
  // Lets the fetch run that has the claim. Releases the lock meanwhile.
  void Run(BlobFetch& fetch, Lock& lock);
  // Keeps the fetch for its next look, or what it has left for readers that come late.
  void PutAway(Job* job, BlobFetch::Next next);
  // A fetch of the digest that runs for another repository of the upstream; null if there is none. Another upstream may
  // claim to have any digest.
  Progress SameOfUpstream(const BlobFetch& fetch) const;
  // Forgets what ended long enough ago. The caller destroys the result without the lock: it may own large files.
  [[nodiscard]] std::vector<Progress> TakeExpired();
  // When TakeExpired() or TakeNext() has something to do next, if nothing changes.
  std::chrono::steady_clock::time_point NextWakeUp() const;
  size_t NumberLocked() const { return waiting_.size() + awaiting_.size() + working_.size(); }
  void ShowNumber() { metrics_.fetches().Set(static_cast<double>(NumberLocked())); }

  CacheStore* const store_;
  const Options options_;
  FetchMetrics metrics_;
  ClaimKeeper claims_;
  StopSignal stop_;
  // Readers may outlive this.
  const std::shared_ptr<RangeRequests> ranges_ = std::make_shared<RangeRequests>();

  std::mutex mutex_;
  // Guarded by mutex_, as all below. A thread may take a fetch, something may expire, or all threads must end.
  std::condition_variable changed_;
  bool stopped_ = false;
  std::map<Key, Progress> fetches_;  // All below, and those that have ended.
  // For a place.
  std::list<Waiting> waiting_;
  // For another process. By the time of the next look.
  std::multimap<std::chrono::steady_clock::time_point, Waiting> awaiting_;
  ClientCounts started_of_;  // Fetches in all of these places.
  // Those that a thread has: they look, or run.
  std::set<BlobFetch*> working_;
  std::set<BlobFetch*> running_;
  size_t places_taken_ = 0;
  std::map<std::string, size_t> places_taken_of_;  // By upstream; no zeros.
  ClientCounts places_taken_of_client_;
  // In the order of their ends, those stored and those failed: each kind in the order of its expiry.
  std::deque<Ended> stored_;
  std::deque<Ended> failed_;
  size_t idle_threads_ = 0;
  std::vector<std::thread> threads_;
};

BlobFetchesImpl::~BlobFetchesImpl() {
  Stop();
  std::vector<std::thread> threads;
  {
    Lock lock(mutex_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
  ranges_->End();
}

std::unique_ptr<FetchReader> BlobFetchesImpl::NewReader(Progress progress, std::shared_ptr<UpstreamRegistry> upstream,
                                                        const CachedRepository& repository,
                                                        const Digest& digest) const {
  auto start = [ranges = std::weak_ptr<RangeRequests>(ranges_), upstream = std::move(upstream), repository, digest](
                   uint64_t offset_bytes, uint64_t end_bytes) -> std::shared_ptr<RangeRequest> {
    const std::shared_ptr<RangeRequests> requests = ranges.lock();
    if (requests == nullptr) return nullptr;
    return requests->Start(repository.upstream, {.upstream = upstream,
                                                 .name_at_upstream = repository.name_at_upstream,
                                                 .digest = digest,
                                                 .offset_bytes = offset_bytes,
                                                 .end_bytes = end_bytes});
  };
  return NewAheadReader(std::move(progress), std::move(start));
}

absl::StatusOr<std::unique_ptr<FetchReader>> BlobFetchesImpl::Open(std::shared_ptr<UpstreamRegistry> upstream,
                                                                   const CachedRepository& repository,
                                                                   const Digest& digest, const std::string& client) {
  std::vector<Progress> expired;
  const Key key(repository.repository.ToString(), digest.ToString());
  Lock lock(mutex_);
  if (stopped_) return absl::CancelledError("the registry is stopping");
  expired = TakeExpired();
  if (const auto found = fetches_.find(key); found != fetches_.end()) {
    RETURN_IF_ERROR(found->second->status());
    metrics_.Of(repository.upstream).coalesced_reads->Increment();
    return NewReader(found->second, std::move(upstream), repository, digest);
  }
  RETURN_IF_ERROR(CheckRoom(repository.upstream, client));
  auto fetch = std::make_unique<BlobFetch>(store_, &claims_, &metrics_, &stop_, upstream, repository, digest,
                                           BlobFetch::Options{.spool_directory = options_.spool_directory,
                                                              .resumptions_max = options_.resumptions_max,
                                                              .resumption_pause = options_.resumption_pause,
                                                              .blob_bytes_max = options_.blob_bytes_max});
  std::unique_ptr<FetchReader> reader = NewReader(fetch->progress(), std::move(upstream), repository, digest);
  fetches_.emplace(key, fetch->progress());
  waiting_.push_back({.client = client, .fetch = std::move(fetch)});
  if (!StartThreadIfNeeded()) {
    waiting_.pop_back();
    fetches_.erase(key);
    return WithRetryAfter(OciError(OciErrorCode::kUnavailable, "no thread can be started for a fetch"), kRetryAfter);
  }
  started_of_.Add(client);
  ShowNumber();
  changed_.notify_one();
  return reader;
}

absl::Status BlobFetchesImpl::CheckRoom(const std::string& upstream, const std::string& client) const {
  const size_t all = NumberLocked();
  const size_t share = std::max<size_t>(options_.fetches_waiting_max / 2, 1);
  const size_t client_share = std::max<size_t>(options_.fetches_waiting_max / kShareOfClient, 1);
  if (all < client_share) return absl::OkStatus();
  size_t of_upstream = 0;
  const auto count = [&](const BlobFetch& fetch) { of_upstream += fetch.repository().upstream == upstream ? 1 : 0; };
  for (const Waiting& waiting : waiting_) count(*waiting.fetch);
  for (const auto& [time, waiting] : awaiting_) count(*waiting.fetch);
  for (const BlobFetch* fetch : working_) count(*fetch);
  std::string problem;
  if (all >= options_.fetches_waiting_max) {
    problem = absl::StrCat("as many blobs of upstreams are fetched or wait as may (", options_.fetches_waiting_max,
                           ", kFetchesWaitingMax)");
  } else if (of_upstream >= share) {
    problem = absl::StrCat("as many blobs of the upstream ", upstream, " are fetched or wait as may (", share,
                           ", half of kFetchesWaitingMax)");
  } else if (!client.empty() && started_of_.Of(client) >= client_share) {
    problem = absl::StrCat("as many blobs of upstreams are fetched or wait for this account or address as may (",
                           client_share, ", a quarter of kFetchesWaitingMax)");
  } else {
    return absl::OkStatus();
  }
  return WithRetryAfter(OciError(OciErrorCode::kUnavailable, problem, problem), kRetryAfter);
}

bool BlobFetchesImpl::StartThreadIfNeeded() {
  const size_t looks = awaiting_.empty() ? 0 : 1;
  const size_t threads_max = options_.fetches_max + (awaiting_.empty() ? 0 : kLookThreads);
  if (threads_.size() >= threads_max || idle_threads_ >= waiting_.size() + looks) return true;
  try {
    threads_.emplace_back([this] { Work(); });
  } catch (const std::system_error&) {
    // The threads that run take the fetch later.
  }
  return !threads_.empty();
}

void BlobFetchesImpl::Work() {
  Lock lock(mutex_);
  while (!stopped_) {
    std::vector<Progress> expired = TakeExpired();
    if (!expired.empty()) {
      lock.unlock();
      expired.clear();
      lock.lock();
      continue;
    }
    Job job = TakeNext();
    if (job.fetch == nullptr) {
      ++idle_threads_;
      changed_.wait_until(lock, NextWakeUp());
      --idle_threads_;
      continue;
    }
    const std::string upstream = job.fetch->repository().upstream;
    working_.insert(job.fetch.get());
    if (job.may_run) {
      ++places_taken_;
      ++places_taken_of_[upstream];
      places_taken_of_client_.Add(job.client);
    }
    lock.unlock();
    const BlobFetch::Next next = job.fetch->Begin(job.may_run);
    lock.lock();
    if (next == BlobFetch::Next::kFetch) Run(*job.fetch, lock);
    working_.erase(job.fetch.get());
    if (job.may_run) {
      --places_taken_;
      if (--places_taken_of_[upstream] == 0) places_taken_of_.erase(upstream);
      places_taken_of_client_.Remove(job.client);
    }
    PutAway(&job, next);
    ShowNumber();
    // The place of its upstream is free, and this thread may take the next fetch of another. Or there is a new time of
    // a look.
    changed_.notify_one();
    lock.unlock();
    job.fetch.reset();
    lock.lock();
  }
}

void BlobFetchesImpl::Run(BlobFetch& fetch, Lock& lock) {
  // It follows only a fetch that runs. Two that have not begun could wait for each other.
  if (Progress other = SameOfUpstream(fetch)) fetch.Follow(std::move(other));
  running_.insert(&fetch);
  // This thread was perhaps the one that waited for the next look.
  StartThreadIfNeeded();
  if (!awaiting_.empty()) changed_.notify_one();
  lock.unlock();
  fetch.Run();
  lock.lock();
  running_.erase(&fetch);
}

void BlobFetchesImpl::PutAway(Job* job, BlobFetch::Next next) {
  const BlobFetch& fetch = *job->fetch;
  if (next == BlobFetch::Next::kAwait && !stopped_) {
    const Deadline next_look = Deadline::After(job->fetch->NextWait());
    awaiting_.emplace(next_look.time(), Waiting{.client = std::move(job->client), .fetch = std::move(job->fetch)});
    return;
  }
  started_of_.Remove(job->client);
  const Progress& progress = fetch.progress();
  const bool stored = progress->stored();
  (stored ? stored_ : failed_)
      .push_back({Key(fetch.repository().repository.ToString(), fetch.digest().ToString()), progress,
                  Deadline::After(stored ? options_.stored_lifetime : options_.failure_lifetime)});
}

BlobFetchesImpl::Job BlobFetchesImpl::TakeNext() {
  if (const auto next = awaiting_.begin(); next != awaiting_.end() && next->first <= std::chrono::steady_clock::now()) {
    Job job{.client = std::move(next->second.client), .fetch = std::move(next->second.fetch)};
    awaiting_.erase(next);
    job.may_run = MayRun(job.fetch->repository().upstream);
    return job;
  }
  const auto best = FirstOfFewest<Waiting>(waiting_, places_taken_of_client_, [this](const Waiting& waiting) {
    return MayRun(waiting.fetch->repository().upstream);
  });
  if (best == waiting_.end()) return {};
  Job job{.client = std::move(best->client), .fetch = std::move(best->fetch), .may_run = true};
  waiting_.erase(best);
  return job;
}

bool BlobFetchesImpl::MayRun(const std::string& upstream) const {
  if (places_taken_ >= options_.fetches_max) return false;
  const auto taken = places_taken_of_.find(upstream);
  return taken == places_taken_of_.end() || taken->second < std::max<size_t>(options_.fetches_max / 2, 1);
}

BlobFetchesImpl::Progress BlobFetchesImpl::SameOfUpstream(const BlobFetch& fetch) const {
  for (const BlobFetch* other : running_) {
    if (other->digest() == fetch.digest() && other->repository().upstream == fetch.repository().upstream) {
      return other->progress();
    }
  }
  return nullptr;
}

std::vector<BlobFetchesImpl::Progress> BlobFetchesImpl::TakeExpired() {
  std::vector<Progress> expired;
  for (std::deque<Ended>* ended : {&stored_, &failed_}) {
    while (!ended->empty() && (ended->front().until.passed() || ended->size() > kEndedMax)) {
      fetches_.erase(ended->front().key);
      expired.push_back(std::move(ended->front().progress));
      ended->pop_front();
    }
  }
  return expired;
}

std::chrono::steady_clock::time_point BlobFetchesImpl::NextWakeUp() const {
  auto next = Deadline::After(absl::InfiniteDuration()).time();
  for (const std::deque<Ended>* ended : {&stored_, &failed_}) {
    if (!ended->empty()) next = std::min(next, ended->front().until.time());
  }
  if (!awaiting_.empty()) next = std::min(next, awaiting_.begin()->first);
  return next;
}

void BlobFetchesImpl::Stop() {
  std::set<std::shared_ptr<UpstreamRegistry>> upstreams;
  std::vector<Progress> unfinished;
  std::list<Waiting> waiting;
  {
    Lock lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    waiting.swap(waiting_);
    for (auto& [time, awaiting] : awaiting_) waiting.push_back(std::move(awaiting));
    awaiting_.clear();
    for (const Waiting& each : waiting) unfinished.push_back(each.fetch->progress());
    for (BlobFetch* fetch : working_) {
      unfinished.push_back(fetch->progress());
      upstreams.insert(fetch->upstream());
    }
  }
  stop_.Stop();
  changed_.notify_all();
  for (const Progress& progress : unfinished) {
    progress->EndFailed(absl::CancelledError("the registry is stopping"));
  }
  for (const auto& upstream : upstreams) upstream->Stop();
  ranges_->Stop();
}

}  // namespace

absl::StatusOr<std::unique_ptr<BlobFetches>> BlobFetches::Create(CacheStore* store, Options options) {
  RETURN_IF_ERROR(PrepareSpoolDirectory(options.spool_directory));
  options.fetches_max = std::max<size_t>(options.fetches_max, 1);
  if (options.holder.empty()) {
    absl::BitGen random;
    options.holder = absl::StrFormat("%016x", absl::Uniform<uint64_t>(random));
  }
  return std::make_unique<BlobFetchesImpl>(store, std::move(options));
}

}  // namespace entrepot::upstream
