#include "services/runtime/grpc/replica.h"

#include <vector>

namespace entrepot::runtime {

void Replica::GiveUpCalls() {
  std::vector<std::shared_ptr<grpc::ClientContext>> contexts;
  {
    const absl::MutexLock lock(&mutex_);
    for (auto& [key, call] : calls_) {
      if (call.given_up) continue;
      call.given_up = true;
      if (std::shared_ptr<grpc::ClientContext> context = call.context.lock(); context != nullptr) {
        contexts.push_back(std::move(context));
      }
    }
  }
  // Without the lock, because a call may end, and be removed, within TryCancel().
  for (const std::shared_ptr<grpc::ClientContext>& context : contexts) context->TryCancel();
}

}  // namespace entrepot::runtime
