#include "services/outbound/testing/scripted_server.h"

#include <poll.h>
#include <sys/socket.h>

#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "boost/asio/buffer.hpp"
#include "boost/asio/read.hpp"
#include "boost/asio/read_until.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/asio/write.hpp"

namespace entrepot::outbound {
namespace {

namespace asio = boost::asio;
using boost::asio::ip::tcp;

size_t ContentLengthOf(absl::string_view header) {
  const size_t at = header.find("Content-Length: ");
  if (at == absl::string_view::npos) return 0;
  const absl::string_view value = header.substr(at + 16);
  size_t length = 0;
  return absl::SimpleAtoi(value.substr(0, value.find('\r')), &length) ? length : 0;
}

// The method and the target of a request's first line.
std::pair<std::string, std::string> FirstLineOf(absl::string_view text) {
  const std::vector<std::string> words = absl::StrSplit(text.substr(0, text.find('\r')), ' ');
  return {words[0], words.size() > 1 ? words[1] : ""};
}

// False if there is none.
template <typename Stream>
bool ReadRequest(Stream& stream, std::string* text) {
  boost::system::error_code error;
  const size_t header_bytes = asio::read_until(stream, asio::dynamic_buffer(*text), "\r\n\r\n", error);
  if (error) return false;
  const size_t wanted = header_bytes + ContentLengthOf(absl::string_view(*text).substr(0, header_bytes));
  if (text->size() < wanted) {
    asio::read(stream, asio::dynamic_buffer(*text), asio::transfer_exactly(wanted - text->size()), error);
  }
  return !error;
}

template <typename Stream>
class StreamConnection final : public ScriptedServer::Connection {
 public:
  StreamConnection(Stream& stream, int fd) : stream_(stream), fd_(fd) {}

  bool Write(absl::string_view bytes) override {
    boost::system::error_code error;
    asio::write(stream_, asio::buffer(bytes.data(), bytes.size()), error);
    return !error;
  }

  bool WaitForEnd(absl::Duration timeout) override {
    pollfd end{.fd = fd_, .events = POLLIN | POLLRDHUP, .revents = 0};
    const int milliseconds =
        timeout == absl::InfiniteDuration() ? -1 : static_cast<int>(absl::ToInt64Milliseconds(timeout));
    return ::poll(&end, 1, milliseconds) != 0;
  }

 private:
  Stream& stream_;
  const int fd_;
};

}  // namespace

ScriptedServer::ScriptedServer(Handler handler, const Options& options) : handler_(std::move(handler)) {
  if (options.certificate != nullptr) {
    tls_.emplace(asio::ssl::context::tls_server);
    tls_->use_certificate_chain(asio::buffer(options.certificate->certificate));
    tls_->use_private_key(asio::buffer(options.certificate->private_key), asio::ssl::context::pem);
    if (!options.client_ca.empty()) {
      tls_->add_certificate_authority(asio::buffer(options.client_ca));
      tls_->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    }
  }
  acceptor_thread_ = std::thread([this] { Accept(); });
}

ScriptedServer::~ScriptedServer() {
  {
    absl::MutexLock lock(&mutex_);
    ending_ = true;
    for (const auto& [fd, connection] : open_) ::shutdown(fd, SHUT_RDWR);
  }
  ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
  acceptor_thread_.join();
  for (std::thread& thread : threads_) thread.join();
}

std::string ScriptedServer::Url(absl::string_view target, absl::string_view scheme, absl::string_view host) const {
  return absl::StrCat(scheme, "://", host, ":", port_, target);
}

int ScriptedServer::connections() const {
  absl::MutexLock lock(&mutex_);
  return accepted_;
}

std::vector<ScriptedServer::Request> ScriptedServer::requests() const {
  absl::MutexLock lock(&mutex_);
  return requests_;
}

std::vector<ScriptedServer::Request> ScriptedServer::WaitForRequests(size_t count) const {
  absl::MutexLock lock(&mutex_);
  const auto received = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return requests_.size() >= count; };
  mutex_.Await(absl::Condition(&received));
  return requests_;
}

void ScriptedServer::Accept() {
  while (true) {
    boost::system::error_code error;
    tcp::socket socket(io_);
    acceptor_.accept(socket, error);
    if (error) return;
    absl::MutexLock lock(&mutex_);
    if (ending_) return;
    open_[socket.native_handle()] = ++accepted_;
    threads_.emplace_back(
        [this, socket = std::move(socket), connection = accepted_]() mutable { Serve(std::move(socket), connection); });
  }
}

void ScriptedServer::Serve(tcp::socket socket, int connection) {
  const int fd = socket.native_handle();
  boost::system::error_code error;
  if (!tls_.has_value()) {
    ServeRequests(socket, fd, connection);
  } else {
    asio::ssl::stream<tcp::socket&> stream(socket, *tls_);
    stream.handshake(asio::ssl::stream_base::server, error);
    if (!error) ServeRequests(stream, fd, connection);
  }
  absl::MutexLock lock(&mutex_);
  open_.erase(fd);
  socket.close(error);
}

template <typename Stream>
void ScriptedServer::ServeRequests(Stream& stream, int fd, int connection) {
  StreamConnection<Stream> to_client(stream, fd);
  while (!to_client.closes()) {
    Request request{.connection = connection};
    if (!ReadRequest(stream, &request.text)) return;
    std::tie(request.method, request.target) = FirstLineOf(request.text);
    {
      absl::MutexLock lock(&mutex_);
      requests_.push_back(request);
    }
    handler_(request, to_client);
  }
}

std::string OkResponse(absl::string_view body) {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ", body.size(),
                      "\r\nConnection: close\r\n\r\n", body);
}

std::string KeptResponse(absl::string_view body) {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

}  // namespace entrepot::outbound
