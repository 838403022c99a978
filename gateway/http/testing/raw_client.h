#ifndef ENTREPOT_GATEWAY_HTTP_TESTING_RAW_CLIENT_H_
#define ENTREPOT_GATEWAY_HTTP_TESTING_RAW_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::gateway::http::testing {

// An answer as it came, its field names in lower case.
struct RawResponse {
  int status = 0;
  std::map<std::string, std::string> fields;
  std::string body;

  std::string Field(const std::string& name) const { return fields.count(name) ? fields.at(name) : "(none)"; }
};

// A client that sends whatever bytes a test wants. Every wait ends after ten seconds.
class RawClient {
 public:
  // To 127.0.0.1. With a receive buffer of `receive_bytes`, where given: so that the server soon finds no room.
  explicit RawClient(uint16_t port, int receive_bytes = 0);

  // False where the connection is broken.
  bool Send(absl::string_view bytes);

  // The next answer; nullopt where the connection ended before its whole head. The body is short where it ended later.
  std::optional<RawResponse> Receive(bool is_head = false);
  // Exactly so many bytes, fewer where the connection ended.
  std::string ReceiveBytes(size_t size);
  // True where the server said that no more comes (and false where it sent bytes, broke the connection, or said
  // nothing).
  bool ReceiveEnd();
  // Whether bytes, or an end, come within the time.
  bool WaitForInput(int milliseconds);

  // Says that no more comes.
  void EndSending();
  // Resets the connection.
  void Abort();

 private:
  bool Fill();

  OwnedFd fd_;
  std::string received_;
};

}  // namespace entrepot::gateway::http::testing

#endif  // ENTREPOT_GATEWAY_HTTP_TESTING_RAW_CLIENT_H_
