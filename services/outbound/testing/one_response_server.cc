#include "services/outbound/testing/one_response_server.h"

#include <cstddef>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "boost/asio/buffer.hpp"
#include "boost/asio/read.hpp"
#include "boost/asio/read_until.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/asio/write.hpp"

namespace entrepot::outbound {
namespace {

namespace asio = boost::asio;

size_t ContentLengthOf(absl::string_view header) {
  const size_t at = header.find("Content-Length: ");
  if (at == absl::string_view::npos) return 0;
  const absl::string_view value = header.substr(at + 16);
  size_t length = 0;
  return absl::SimpleAtoi(value.substr(0, value.find('\r')), &length) ? length : 0;
}

}  // namespace

OneResponseServer::OneResponseServer(std::string response, const runtime::TestCa::Issued* certificate)
    : response_(std::move(response)) {
  if (certificate != nullptr) {
    tls_.emplace(asio::ssl::context::tls_server);
    tls_->use_certificate_chain(asio::buffer(certificate->certificate));
    tls_->use_private_key(asio::buffer(certificate->private_key), asio::ssl::context::pem);
  }
  thread_ = std::thread([this] { Serve(); });
}

OneResponseServer::~OneResponseServer() {
  // Ends the wait for a connection if no client has connected.
  boost::system::error_code ignored;
  asio::ip::tcp::socket socket(io_);
  socket.connect(acceptor_.local_endpoint(), ignored);
  socket.close(ignored);
  if (thread_.joinable()) thread_.join();
}

std::string OneResponseServer::Url(absl::string_view scheme) const {
  return absl::StrCat(scheme, "://127.0.0.1:", acceptor_.local_endpoint().port(), "/keys?a=b");
}

const std::string& OneResponseServer::request() {
  if (thread_.joinable()) thread_.join();
  return request_;
}

void OneResponseServer::Serve() {
  boost::system::error_code error;
  asio::ip::tcp::socket socket(io_);
  acceptor_.accept(socket, error);
  if (error) return;
  if (!tls_.has_value()) return Respond(socket);
  asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), *tls_);
  stream.handshake(asio::ssl::stream_base::server, error);
  if (!error) Respond(stream);
}

template <typename Stream>
void OneResponseServer::Respond(Stream& stream) {
  boost::system::error_code error;
  const size_t header_bytes = asio::read_until(stream, asio::dynamic_buffer(request_), "\r\n\r\n", error);
  if (error) return;
  const size_t wanted = header_bytes + ContentLengthOf(request_);
  if (request_.size() < wanted) {
    asio::read(stream, asio::dynamic_buffer(request_), asio::transfer_exactly(wanted - request_.size()), error);
  }
  if (!error) asio::write(stream, asio::buffer(response_), error);
}

std::string OkResponse(absl::string_view body) {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ", body.size(),
                      "\r\nConnection: close\r\n\r\n", body);
}

}  // namespace entrepot::outbound
