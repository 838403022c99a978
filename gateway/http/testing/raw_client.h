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

// A response as received, with its field names in lower case.
struct RawResponse {
  int status = 0;
  std::map<std::string, std::string> fields;
  std::string body;

  std::string Field(const std::string& name) const { return fields.count(name) ? fields.at(name) : "(none)"; }
};

// A client that sends arbitrary bytes. Every wait ends after ten seconds.
class RawClient {
 public:
  // Connects to 127.0.0.1 from `address`, another address of the loopback network. With `receive_bytes`, limits the
  // receive buffer, so that the server must soon wait.
  explicit RawClient(uint16_t port, int receive_bytes = 0, const char* address = "127.0.0.1");

  bool connected() const { return fd_.get() >= 0; }

  // False if the connection is broken.
  bool Send(absl::string_view bytes);

  // The next response; nullopt if the connection ends within its head. If it ends within the body, the body is short.
  std::optional<RawResponse> Receive(bool is_head = false);
  // The next `size` bytes, fewer if the connection ends.
  std::string ReceiveBytes(size_t size);
  // True if the server ends its side in order; false if it sends bytes, breaks the connection, or does neither.
  bool ReceiveEnd();
  // Whether bytes or the end of the connection arrive within the time.
  bool WaitForInput(int milliseconds);

  // Ends this side of the connection.
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
