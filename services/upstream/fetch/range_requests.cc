#include "services/upstream/fetch/range_requests.h"

#include <algorithm>
#include <utility>

namespace entrepot::upstream {

RangeRequests::RangeRequests(size_t requests_max) : requests_max_(std::max<size_t>(requests_max, 1)) {
  threads_.emplace(requests_max_);
}

std::shared_ptr<RangeRequest> RangeRequests::Start(const std::string& upstream, RangeRequest::Range range) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || running_.size() >= requests_max_) return nullptr;
  size_t& running = running_of_[upstream];
  if (running >= std::max<size_t>(requests_max_ / 2, 1)) return nullptr;
  ++running;
  std::shared_ptr<UpstreamRegistry> registry = range.upstream;
  auto request = std::make_shared<RangeRequest>(std::move(range));
  running_.emplace(request.get(), Running{.request = request, .upstream = std::move(registry)});
  threads_->Post([this, upstream, request] { Run(upstream, request); });
  return request;
}

void RangeRequests::Run(const std::string& upstream, const std::shared_ptr<RangeRequest>& request) {
  request->Run();
  const std::lock_guard lock(mutex_);
  running_.erase(request.get());
  if (--running_of_[upstream] == 0) running_of_.erase(upstream);
}

void RangeRequests::Stop() {
  std::map<RangeRequest*, Running> running;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    running = running_;
  }
  for (const auto& [key, of] : running) {
    of.request->Cancel();
    of.upstream->Stop();
  }
}

void RangeRequests::End() {
  Stop();
  // No job is posted any more.
  threads_.reset();
}

}  // namespace entrepot::upstream
