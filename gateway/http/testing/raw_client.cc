#include "gateway/http/testing/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace entrepot::gateway::http::testing {

RawClient::RawClient(uint16_t port, int receive_bytes, const char* from)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval patience{10, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (receive_bytes > 0) ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
  sockaddr_in own{};
  own.sin_family = AF_INET;
  ::inet_pton(AF_INET, from, &own.sin_addr);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof(own)) != 0 ||
      ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    fd_ = OwnedFd();
  }
}

bool RawClient::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::optional<RawResponse> RawClient::Receive(bool is_head) {
  size_t end;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) return std::nullopt;
  }
  RawResponse response;
  const std::string head = received_.substr(0, end);
  received_.erase(0, end + 4);
  const std::vector<std::string> lines = absl::StrSplit(head, "\r\n");
  if (!absl::SimpleAtoi(lines[0].substr(std::min<size_t>(9, lines[0].size()), 3), &response.status))
    return std::nullopt;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> field = absl::StrSplit(lines[i], absl::MaxSplits(": ", 1));
    response.fields[absl::AsciiStrToLower(field.first)] = field.second;
  }
  size_t length = 0;
  if (!is_head && response.fields.count("content-length") > 0) {
    (void)absl::SimpleAtoi(response.fields["content-length"], &length);
  }
  response.body = ReceiveBytes(length);
  return response;
}

std::string RawClient::ReceiveBytes(size_t size) {
  while (received_.size() < size && Fill()) {
  }
  std::string bytes = received_.substr(0, size);
  received_.erase(0, bytes.size());
  return bytes;
}

bool RawClient::ReceiveEnd() {
  char byte;
  return received_.empty() && ::recv(fd_.get(), &byte, 1, 0) == 0;
}

bool RawClient::WaitForInput(int milliseconds) {
  pollfd ready{fd_.get(), POLLIN, 0};
  return !received_.empty() || ::poll(&ready, 1, milliseconds) > 0;
}

void RawClient::EndSending() { ::shutdown(fd_.get(), SHUT_WR); }

void RawClient::Abort() {
  const linger reset{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  fd_ = OwnedFd();
}

bool RawClient::Fill() {
  std::string more(256 << 10, '\0');
  const ssize_t read = ::recv(fd_.get(), more.data(), more.size(), 0);
  if (read <= 0) return false;
  received_.append(more.data(), static_cast<size_t>(read));
  return true;
}

}  // namespace entrepot::gateway::http::testing
