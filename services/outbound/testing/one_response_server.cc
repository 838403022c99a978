#include "services/outbound/testing/one_response_server.h"

#include <utility>

namespace entrepot::outbound {

OneResponseServer::OneResponseServer(std::string response, const runtime::TestCa::Issued* certificate)
    : server_(
          [response = std::move(response)](const ScriptedServer::Request&, ScriptedServer::Connection& connection) {
            connection.Write(response);
            connection.Close();
          },
          {.certificate = certificate}) {}

}  // namespace entrepot::outbound
