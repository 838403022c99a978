#ifndef ENTREPOT_SERVICES_UPSTREAM_FETCH_RANGE_REQUESTS_H_
#define ENTREPOT_SERVICES_UPSTREAM_FETCH_RANGE_REQUESTS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "services/runtime/threads/executor.h"
#include "services/upstream/fetch/range_request.h"

namespace entrepot::upstream {

// Runs the requests for ranges that are far ahead of a fetch, each on a thread. They are few: a reader that gets none
// waits for the fetch. Thread-safe.
class RangeRequests {
 public:
  // At the same time; one upstream may have half of them.
  static constexpr size_t kRequestsMax = 8;

  explicit RangeRequests(size_t requests_max = kRequestsMax);
  // End() has been called.
  ~RangeRequests() = default;

  // Null if all places are taken, and after Stop(). The caller cancels the request once it is not read any more.
  std::shared_ptr<RangeRequest> Start(const std::string& upstream, RangeRequest::Range range);
  // Ends all requests, by Stop() of their upstreams too. Does not wait.
  void Stop();
  // Stop(), and waits for the threads. Not on one of them.
  void End();

 private:
  struct Running {
    std::shared_ptr<RangeRequest> request;
    std::shared_ptr<UpstreamRegistry> upstream;
  };

  void Run(const std::string& upstream, const std::shared_ptr<RangeRequest>& request);

  const size_t requests_max_;
  std::mutex mutex_;
  // Guarded by mutex_.
  bool stopped_ = false;
  std::map<RangeRequest*, Running> running_;
  std::map<std::string, size_t> running_of_;  // By upstream; no zeros.
  // The last member: its jobs use the others.
  std::optional<runtime::Executor> threads_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_FETCH_RANGE_REQUESTS_H_
