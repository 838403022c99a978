#include "services/runtime/grpc/open_connections.h"

#include <sys/socket.h>

namespace entrepot::runtime {
namespace {

// 0 if `fd` is not an open socket.
uint64_t CookieOf(int fd) {
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  return ::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

}  // namespace

OpenConnections::Outcome OpenConnections::Admit(int fd, const std::string& source, Clock::time_point now) {
  const auto is_full = [&] {
    const auto found = by_source_.find(source);
    return all_.size() >= limits_.max || (found != by_source_.end() && found->second >= limits_.per_source_max);
  };
  if (is_full() && now - searched_ >= kSearchInterval) RemoveClosed(now);
  if (is_full()) return all_.size() >= limits_.max ? Outcome::kNoneLeft : Outcome::kNoneLeftForSource;
  const auto entry = by_source_.try_emplace(source).first;
  ++entry->second;
  all_.push_back({fd, CookieOf(fd), entry});
  return Outcome::kAdmitted;
}

void OpenConnections::RemoveClosed(Clock::time_point now) {
  searched_ = now;
  std::erase_if(all_, [this](const Connection& connection) {
    if (CookieOf(connection.fd) == connection.cookie) return false;
    if (--connection.source->second == 0) by_source_.erase(connection.source);
    return true;
  });
}

}  // namespace entrepot::runtime
