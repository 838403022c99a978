#include "tests/http_client/http_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "services/status/status_macros.h"

namespace entrepot::tests {
namespace {

constexpr size_t kReadBytes = 256 * 1024;

absl::Status Errno(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

bool HasBody(absl::string_view method, int status) { return method != "HEAD" && status != 204 && status != 304; }

}  // namespace

absl::string_view HttpResponse::Field(absl::string_view name) const {
  absl::string_view rest = head;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find("\r\n"), rest.size());
    absl::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 2));
    if (line.size() > name.size() && line[name.size()] == ':' && absl::StartsWithIgnoreCase(line, name)) {
      return absl::StripAsciiWhitespace(line.substr(name.size() + 1));
    }
  }
  return "";
}

absl::StatusOr<HttpConnection> HttpConnection::Open(const std::string& host, int port, int timeout_seconds) {
  OwnedFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return Errno("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return absl::InvalidArgumentError(host);
  const timeval timeout{timeout_seconds, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return Errno("connect");
  return HttpConnection(std::move(socket), absl::StrCat(host, ":", port));
}

absl::Status HttpConnection::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return Errno("send");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return absl::OkStatus();
}

void HttpConnection::HalfClose() { shutdown(socket_.get(), SHUT_WR); }

absl::Status HttpConnection::Fill() {
  const size_t before = received_.size();
  received_.resize(before + kReadBytes);
  ssize_t count = -1;
  do {
    count = recv(socket_.get(), received_.data() + before, kReadBytes, 0);
  } while (count < 0 && errno == EINTR);
  received_.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0) return errno == EAGAIN ? absl::DeadlineExceededError("no response in time") : Errno("recv");
  if (count == 0) return absl::UnavailableError("the connection was closed");
  return absl::OkStatus();
}

absl::StatusOr<HttpResponse> HttpConnection::Receive(absl::string_view method, bool keep_body) {
  HttpResponse response;
  do {
    size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) RETURN_IF_ERROR(Fill());
    response.head = received_.substr(0, end + 2);
    received_.erase(0, end + 4);
    if (response.head.size() < 12 || !absl::SimpleAtoi(response.head.substr(9, 3), &response.status)) {
      return absl::DataLossError(absl::StrCat("not a response: ", response.head.substr(0, 40)));
    }
  } while (response.status < 200);
  response.body_began = absl::Now();
  if (!HasBody(method, response.status)) return response;
  uint64_t length = 0;
  if (!absl::SimpleAtoi(response.Field("Content-Length"), &length)) {
    return absl::DataLossError(absl::StrCat("a response without Content-Length: ", response.head));
  }
  response.body_bytes = length;
  if (length > 0 && received_.empty()) RETURN_IF_ERROR(Fill());
  response.body_began = absl::Now();
  if (keep_body) {
    while (received_.size() < length) RETURN_IF_ERROR(Fill());
    response.body = received_.substr(0, length);
    received_.erase(0, length);
    return response;
  }
  while (length > received_.size()) {
    length -= received_.size();
    received_.clear();
    RETURN_IF_ERROR(Fill());
  }
  received_.erase(0, length);
  return response;
}

absl::StatusOr<HttpResponse> HttpConnection::Call(absl::string_view method, absl::string_view target,
                                                  absl::string_view fields, absl::string_view body, bool keep_body) {
  std::string head = absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: ", host_,
                                  "\r\nContent-Length: ", body.size(), "\r\n", fields, "\r\n");
  if (body.size() <= 64 * 1024) {
    absl::StrAppend(&head, body);
    RETURN_IF_ERROR(Send(head));
  } else {
    RETURN_IF_ERROR(Send(head));
    RETURN_IF_ERROR(Send(body));
  }
  return Receive(method, keep_body);
}

}  // namespace entrepot::tests
