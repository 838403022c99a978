#include "services/upstream/fetch/blob_fetches.h"

#include <algorithm>
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

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/time/deadline.h"
#include "services/core/time/stop_signal.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_macros.h"
#include "services/upstream/fetch/blob_fetch.h"
#include "services/upstream/fetch/fetch_metrics.h"
#include "services/upstream/fetch/fetch_progress.h"
#include "services/upstream/fetch/spool_file.h"

namespace entrepot::upstream {
namespace {

// Each keeps a descriptor and its bytes on the disk.
constexpr size_t kEndedMax = 128;
constexpr absl::Duration kRetryAfter = absl::Seconds(5);

using Key = std::pair<std::string, std::string>;  // Repository, digest.

class BlobFetchesImpl : public BlobFetches {
 public:
  BlobFetchesImpl(CacheStore* store, Options options)
      : store_(store), options_(std::move(options)), metrics_(options_.registry) {}
  ~BlobFetchesImpl() override;

  absl::StatusOr<std::unique_ptr<FetchReader>> Open(std::shared_ptr<UpstreamRegistry> upstream,
                                                    const CachedRepository& repository, const Digest& digest) override;
  void Stop() override;

 private:
  using Lock = std::unique_lock<std::mutex>;
  using Progress = std::shared_ptr<FetchProgress>;

  struct Ended {
    Key key;
    Progress progress;
    Deadline until;
  };

  // All with the lock, but for Work().
  //
  // The body of a thread.
  void Work();
  // kUnavailable if as many fetches wait and run as may, of all upstreams or of this one.
  absl::Status CheckRoom(const std::string& upstream) const;
  // False if there is no thread, and none can be started.
  bool StartThreadIfNeeded();
  // The first fetch that waits and whose upstream may have another one; null if there is none.
  std::unique_ptr<BlobFetch> TakeNext();
  bool MayRun(const std::string& upstream) const;
  // A fetch of the digest that runs for another repository of the upstream; null if there is none. Another upstream may
  // claim to have any digest.
  Progress SameOfUpstream(const BlobFetch& fetch) const;
  // Forgets what ended long enough ago. The caller destroys the result without the lock: it may own large files.
  [[nodiscard]] std::vector<Progress> TakeExpired();
  // When TakeExpired() has something to do next.
  Deadline NextExpiry() const;
  void ShowNumber() { metrics_.fetches().Set(static_cast<double>(waiting_.size() + running_.size())); }

  CacheStore* const store_;
  const Options options_;
  FetchMetrics metrics_;
  StopSignal stop_;

  std::mutex mutex_;
  // Guarded by mutex_, as all below. A thread may take a fetch, something may expire, or all threads must end.
  std::condition_variable changed_;
  bool stopped_ = false;
  std::map<Key, Progress> fetches_;  // Waiting, running and ended.
  std::list<std::unique_ptr<BlobFetch>> waiting_;
  std::set<BlobFetch*> running_;
  std::map<std::string, size_t> running_of_;  // By upstream; no zeros.
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
}

absl::StatusOr<std::unique_ptr<FetchReader>> BlobFetchesImpl::Open(std::shared_ptr<UpstreamRegistry> upstream,
                                                                   const CachedRepository& repository,
                                                                   const Digest& digest) {
  std::vector<Progress> expired;
  const Key key(repository.repository.ToString(), digest.ToString());
  Lock lock(mutex_);
  if (stopped_) return absl::CancelledError("the registry is stopping");
  expired = TakeExpired();
  if (const auto found = fetches_.find(key); found != fetches_.end()) {
    RETURN_IF_ERROR(found->second->status());
    metrics_.Of(repository.upstream).coalesced_reads->Increment();
    return found->second->NewReader();
  }
  RETURN_IF_ERROR(CheckRoom(repository.upstream));
  auto fetch = std::make_unique<BlobFetch>(store_, &metrics_, &stop_, std::move(upstream), repository, digest,
                                           BlobFetch::Options{.spool_directory = options_.spool_directory,
                                                              .resumptions_max = options_.resumptions_max,
                                                              .resumption_pause = options_.resumption_pause,
                                                              .blob_bytes_max = options_.blob_bytes_max});
  std::unique_ptr<FetchReader> reader = fetch->progress()->NewReader();
  fetches_.emplace(key, fetch->progress());
  waiting_.push_back(std::move(fetch));
  if (!StartThreadIfNeeded()) {
    waiting_.pop_back();
    fetches_.erase(key);
    return WithRetryAfter(OciError(OciErrorCode::kUnavailable, "no thread can be started for a fetch"), kRetryAfter);
  }
  ShowNumber();
  changed_.notify_one();
  return reader;
}

absl::Status BlobFetchesImpl::CheckRoom(const std::string& upstream) const {
  const size_t all = waiting_.size() + running_.size();
  const size_t share = std::max<size_t>(options_.fetches_waiting_max / 2, 1);
  if (all < share) return absl::OkStatus();
  const auto is_of_upstream = [&](const auto& fetch) { return fetch->repository().upstream == upstream; };
  const auto of_upstream = static_cast<size_t>(std::count_if(waiting_.begin(), waiting_.end(), is_of_upstream) +
                                               std::count_if(running_.begin(), running_.end(), is_of_upstream));
  std::string problem;
  if (all >= options_.fetches_waiting_max) {
    problem = absl::StrCat("as many blobs of upstreams are fetched or wait as may (", options_.fetches_waiting_max,
                           ", kFetchesWaitingMax)");
  } else if (of_upstream >= share) {
    problem = absl::StrCat("as many blobs of the upstream ", upstream, " are fetched or wait as may (", share,
                           ", half of kFetchesWaitingMax)");
  } else {
    return absl::OkStatus();
  }
  return WithRetryAfter(OciError(OciErrorCode::kUnavailable, problem, problem), kRetryAfter);
}

bool BlobFetchesImpl::StartThreadIfNeeded() {
  if (threads_.size() >= options_.fetches_max || idle_threads_ >= waiting_.size()) return true;
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
    std::unique_ptr<BlobFetch> fetch = TakeNext();
    if (fetch == nullptr) {
      ++idle_threads_;
      changed_.wait_until(lock, NextExpiry().time());
      --idle_threads_;
      continue;
    }
    const std::string upstream = fetch->repository().upstream;
    if (Progress other = SameOfUpstream(*fetch)) fetch->Follow(std::move(other));
    running_.insert(fetch.get());
    ++running_of_[upstream];
    lock.unlock();
    fetch->Run();
    lock.lock();
    running_.erase(fetch.get());
    if (--running_of_[upstream] == 0) running_of_.erase(upstream);
    ShowNumber();
    const bool stored = fetch->progress()->stored();
    (stored ? stored_ : failed_)
        .push_back({Key(fetch->repository().repository.ToString(), fetch->digest().ToString()), fetch->progress(),
                    Deadline::After(stored ? options_.stored_lifetime : options_.failure_lifetime)});
    // The place of its upstream is free, and this thread may take the next fetch of another.
    changed_.notify_one();
    lock.unlock();
    fetch.reset();
    lock.lock();
  }
}

std::unique_ptr<BlobFetch> BlobFetchesImpl::TakeNext() {
  for (auto waiting = waiting_.begin(); waiting != waiting_.end(); ++waiting) {
    if (!MayRun((*waiting)->repository().upstream)) continue;
    std::unique_ptr<BlobFetch> fetch = std::move(*waiting);
    waiting_.erase(waiting);
    return fetch;
  }
  return nullptr;
}

bool BlobFetchesImpl::MayRun(const std::string& upstream) const {
  const auto running = running_of_.find(upstream);
  return running == running_of_.end() || running->second < std::max<size_t>(options_.fetches_max / 2, 1);
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

Deadline BlobFetchesImpl::NextExpiry() const {
  Deadline next = Deadline::After(absl::InfiniteDuration());
  for (const std::deque<Ended>* ended : {&stored_, &failed_}) {
    if (!ended->empty() && ended->front().until.time() < next.time()) next = ended->front().until;
  }
  return next;
}

void BlobFetchesImpl::Stop() {
  std::set<std::shared_ptr<UpstreamRegistry>> upstreams;
  std::vector<Progress> unfinished;
  std::list<std::unique_ptr<BlobFetch>> waiting;
  {
    Lock lock(mutex_);
    if (std::exchange(stopped_, true)) return;
    waiting.swap(waiting_);
    for (const auto& fetch : waiting) unfinished.push_back(fetch->progress());
    for (BlobFetch* fetch : running_) {
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
}

}  // namespace

absl::StatusOr<std::unique_ptr<BlobFetches>> BlobFetches::Create(CacheStore* store, Options options) {
  RETURN_IF_ERROR(PrepareSpoolDirectory(options.spool_directory));
  options.fetches_max = std::max<size_t>(options.fetches_max, 1);
  return std::make_unique<BlobFetchesImpl>(store, std::move(options));
}

}  // namespace entrepot::upstream
