#ifndef ENTREPOT_GATEWAY_HTTP_TESTING_TEST_SERVER_H_
#define ENTREPOT_GATEWAY_HTTP_TESTING_TEST_SERVER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "gateway/http/server/server.h"
#include "gateway/http/testing/test_handler.h"
#include "prometheus/registry.h"

namespace entrepot::gateway::http::testing {

// A server on a free port of 127.0.0.1 with a TestHandler.
class TestServer {
 public:
  // Two threads and default limits.
  static Server::Options DefaultOptions();

  explicit TestServer(const Server::Options& options = DefaultOptions());

  uint16_t port() const { return server_->port(); }
  Server& server() { return *server_; }
  TestHandler& handler() { return handler_; }
  const std::shared_ptr<prometheus::Registry>& registry() const { return registry_; }

  // The sum of the family's metrics with these labels; -1 if there are none.
  double Metric(const std::string& name, const std::map<std::string, std::string>& labels = {}) const;

 private:
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  TestHandler handler_;
  std::unique_ptr<Server> server_;
};

google::protobuf::Duration Milliseconds(int64_t milliseconds);

}  // namespace entrepot::gateway::http::testing

#endif  // ENTREPOT_GATEWAY_HTTP_TESTING_TEST_SERVER_H_
