#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_OPEN_CONNECTIONS_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_OPEN_CONNECTIONS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace entrepot::runtime {

// Counts the open connections of a gRPC server, in sum and by source. gRPC closes a connection's socket without telling
// anyone, so the count finds out by itself: each socket has a cookie of its own (SO_COOKIE), and a descriptor that has
// another cookie, or none, is not that connection any more. For one thread at a time.
class OpenConnections {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    size_t max = 0;
    size_t per_source_max = 0;
  };
  enum class Outcome {
    kAdmitted,
    kNoneLeft,           // As many are open as may be.
    kNoneLeftForSource,  // The source has used up its share.
  };

  // While a limit is reached, the closed connections are searched for once in this time, so that a flood of new ones
  // costs little. A connection may be refused although another one was closed that long ago.
  static constexpr Clock::duration kSearchInterval = std::chrono::milliseconds(10);

  explicit OpenConnections(const Limits& limits) : limits_(limits) {}

  // Counts the connected socket `fd` of `source` if the limits allow it. Whoever closes `fd` need not report it.
  Outcome Admit(int fd, const std::string& source, Clock::time_point now);

  // Forgets the connections that are closed.
  void RemoveClosed(Clock::time_point now);

  // Those that were open at the last search, and those since.
  size_t size() const { return all_.size(); }

 private:
  struct Connection {
    int fd;
    uint64_t cookie;
    std::map<std::string, size_t>::iterator source;
  };

  const Limits limits_;
  std::vector<Connection> all_;
  std::map<std::string, size_t> by_source_;  // No zeros.
  Clock::time_point searched_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_OPEN_CONNECTIONS_H_
