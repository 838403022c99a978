// Sends random requests (request_grammar.h) to a registry and checks every response.
//
//   random_requests HOST PORT COUNT SEED
//
// Exits with 0 if the registry responds to every request within kTimeoutSeconds with a status below 500 (or 501 or
// 505), or ends the connection in order after an incomplete request. Otherwise prints the seed and the request and
// exits with 1.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/status/status_macros.h"
#include "tests/hostile/request_grammar.h"
#include "tests/http_client/http_connection.h"

namespace entrepot::tests {
namespace {

constexpr int kTimeoutSeconds = 20;
constexpr int kThreads = 8;

struct Counts {
  // By status / 100; [0]: connections that ended without a response.
  std::array<std::atomic<uint64_t>, 6> by_class{};
};

class Attacker {
 public:
  Attacker(std::string host, int port, uint64_t seed, Counts* counts)
      : host_(std::move(host)), port_(port), grammar_(seed), counts_(counts) {}

  absl::Status SendOne() {
    const GeneratedRequest request = grammar_.Next();
    absl::Status status = Exchange(request);
    if (status.ok()) return status;
    return absl::Status(status.code(),
                        absl::StrCat(status.message(), "\nto: ", absl::CHexEscape(request.bytes.substr(0, 4000))));
  }

 private:
  absl::Status Exchange(const GeneratedRequest& request) {
    if (!connection_.has_value()) {
      ASSIGN_OR_RETURN(connection_, HttpConnection::Open(host_, port_, kTimeoutSeconds));
    }
    // A send may fail if the registry has already refused the request. Its response still counts.
    const bool sent = connection_->Send(request.bytes).ok();
    // The registry may read an unusual request in another way than it was meant, so nothing may follow it.
    const bool last = !sent || request.may_be_incomplete || !IsPlain(request.bytes);
    if (last) connection_->HalfClose();
    const absl::StatusOr<HttpResponse> response = connection_->Receive(request.method);
    if (!response.ok()) {
      connection_.reset();
      if (response.status().code() != absl::StatusCode::kUnavailable || !last) return response.status();
      ++counts_->by_class[0];
      return absl::OkStatus();
    }
    ++counts_->by_class[static_cast<size_t>(std::clamp(response->status / 100, 0, 5))];
    if (response->status >= 500 && response->status != 501 && response->status != 505) {
      return absl::InternalError(absl::StrCat(response->head, response->body));
    }
    if (response->status == 202) grammar_.LearnLocation(response->Field("Location"));
    if (last || absl::EqualsIgnoreCase(response->Field("Connection"), "close")) connection_.reset();
    return absl::OkStatus();
  }

  // Whether the request has a complete header of HTTP/1.1 with a Content-Length.
  static bool IsPlain(const std::string& bytes) {
    const size_t end = bytes.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const absl::string_view head = absl::string_view(bytes).substr(0, end);
    return absl::StrContains(head, " HTTP/1.1\r\n") && absl::StrContains(head, "Content-Length: ");
  }

  const std::string host_;
  const int port_;
  RequestGrammar grammar_;
  Counts* const counts_;
  std::optional<HttpConnection> connection_;
};

int Main(int argc, char** argv) {
  int port = 0;
  uint64_t count = 0;
  uint64_t seed = 0;
  if (argc != 5 || !absl::SimpleAtoi(argv[2], &port) || !absl::SimpleAtoi(argv[3], &count) ||
      !absl::SimpleAtoi(argv[4], &seed)) {
    std::cerr << "usage: random_requests HOST PORT COUNT SEED\n";
    return 2;
  }
  Counts counts;
  std::mutex mutex;
  absl::Status failure;
  std::atomic<bool> failed{false};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        Attacker attacker(argv[1], port, seed * kThreads + static_cast<uint64_t>(i), &counts);
        for (uint64_t n = 0; n < count / kThreads && !failed; ++n) {
          absl::Status status = attacker.SendOne();
          if (status.ok()) continue;
          failed = true;
          const std::lock_guard<std::mutex> lock(mutex);
          failure = std::move(status);
        }
      });
    }
  }
  if (failed) {
    std::cerr << "seed " << seed << ": " << failure << "\n";
    return 1;
  }
  for (size_t i = 0; i < counts.by_class.size(); ++i) std::cout << i << "xx: " << counts.by_class[i] << "\n";
  return 0;
}

}  // namespace
}  // namespace entrepot::tests

int main(int argc, char** argv) { return entrepot::tests::Main(argc, argv); }
