#ifndef ENTREPOT_SERVICES_OUTBOUND_TESTING_SCRIPTED_HOP_H_
#define ENTREPOT_SERVICES_OUTBOUND_TESTING_SCRIPTED_HOP_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/outbound/http_hop.h"

namespace entrepot::outbound {

struct ScriptedResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::string body = {};
  // If it is not OK, the exchange fails with it after the body.
  absl::Status failure = absl::OkStatus();
};

// An HttpHop for tests: a function answers, and the requests are kept. Thread-safe if the function is.
class ScriptedHop : public HttpHop {
 public:
  using Script = std::function<ScriptedResponse(const HopRequest& request)>;

  explicit ScriptedHop(Script script) : script_(std::move(script)) {}

  absl::StatusOr<HopHead> Send(const HopRequest& request, const HopSink& sink) override {
    {
      absl::MutexLock lock(&mutex_);
      if (stopped_) return absl::CancelledError("stopped");
      requests_.push_back(request);
    }
    const ScriptedResponse response = script_(request);
    if (response.status == 0) return response.failure;
    const HopHead head{.status = response.status, .fields = response.fields};
    if (sink.on_head) {
      if (const absl::Status status = sink.on_head(head); !status.ok()) return status;
    }
    // In two pieces.
    const absl::string_view body = request.method == "HEAD" ? "" : absl::string_view(response.body);
    for (const absl::string_view piece : {body.substr(0, body.size() / 2), body.substr(body.size() / 2)}) {
      if (piece.empty() || !sink.on_bytes) continue;
      if (const absl::Status status = sink.on_bytes(piece); !status.ok()) return status;
    }
    if (!response.failure.ok()) return response.failure;
    return head;
  }
  void Stop() override {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }

  std::vector<HopRequest> requests() const {
    absl::MutexLock lock(&mutex_);
    return requests_;
  }

 private:
  const Script script_;
  mutable absl::Mutex mutex_;
  std::vector<HopRequest> requests_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

// The value of a field of the request; empty if it is absent.
inline std::string HeaderOf(const HopRequest& request, absl::string_view name) {
  for (const auto& [field, value] : request.headers) {
    if (absl::EqualsIgnoreCase(field, name)) return value;
  }
  return "";
}

}  // namespace entrepot::outbound

#endif  // ENTREPOT_SERVICES_OUTBOUND_TESTING_SCRIPTED_HOP_H_
