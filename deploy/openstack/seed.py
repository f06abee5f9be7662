import json, os, sys, time
import requests
IP, PASS, REGION = '127.0.0.1', os.environ['PASS'], os.environ['REGION']
K = 'http://%s:5000/v3' % IP
S = requests.Session(); S.trust_env = False

def login(user='admin', project='admin'):
    r = S.post(K + '/auth/tokens', json={'auth': {
        'identity': {'methods': ['password'], 'password': {'user': {
            'name': user, 'password': PASS, 'domain': {'id': 'default'}}}},
        'scope': {'project': {'name': project, 'domain': {'id': 'default'}}}}})
    r.raise_for_status()
    return r.headers['X-Subject-Token'], r.json()['token']['project']['id']

TOK, PID = login()
def call(method, url, ok=(), tok=None, **kw):
    h = kw.pop('headers', {}); h['X-Auth-Token'] = tok or TOK
    for i in range(60):
        r = S.request(method, url, headers=h, **kw)
        if r.status_code < 500: break
        time.sleep(1)
    if r.status_code >= 400 and r.status_code not in ok:
        raise SystemExit('%s %s: %s %s' % (method, url, r.status_code, r.text[:400]))
    return r
def get(url, key, tok=None, **params): return call('GET', url, params=params, tok=tok).json()[key]
def ensure(base, plural, single, find, tok=None, **attrs):
    got = get(base + '/' + plural, plural.replace('types', 'volume_types'), tok=tok, **find)
    got = [g for g in got if all(g.get(k) == v for k, v in find.items())]
    return got[0] if got else call('POST', base + '/' + plural, tok=tok, json={single: dict(find, **attrs)}).json()[single]

def identity(want):
    roles = {n: ensure(K, 'roles', 'role', {'name': n})['id'] for n in ('admin', 'member', 'reader', 'service', 'ResellerAdmin')}
    proj = {n: ensure(K, 'projects', 'project', {'name': n}, domain_id='default')['id'] for n in ('admin', 'service', 'demo')}
    def user(name, project, *rs):
        u = ensure(K, 'users', 'user', {'name': name}, domain_id='default', password=PASS, default_project_id=proj[project])['id']
        for r in rs: call('PUT', '%s/projects/%s/users/%s/roles/%s' % (K, proj[project], u, roles[r]))
    for s in ('placement', 'glance', 'nova', 'neutron', 'cinder', 'swift', 'trove', 'coffer'):
        user(s, 'service', 'admin', 'service', 'member')
    user('demo', 'demo', 'member', 'reader')
    user('alice', 'demo', 'reader')
    user('admin', 'admin', 'admin', 'member'); user('admin', 'demo', 'admin', 'member')
    for svc, typ, url in (
        ('placement', 'placement', 'http://%s:8778'), ('glance', 'image', 'http://%s:9292'),
        ('nova', 'compute', 'http://%s:8774/v2.1'), ('neutron', 'network', 'http://%s:9696'),
        ('cinderv3', 'volumev3', 'http://%s:8776/v3/%%(project_id)s'),
        ('cinder', 'block-storage', 'http://%s:8776/v3/%%(project_id)s'),
        ('swift', 'object-store', 'http://%s:8080/v1/AUTH_%%(project_id)s')):
        if {'glance': 'glance', 'nova': 'nova', 'neutron': 'neutron', 'cinderv3': 'cinder', 'cinder': 'cinder', 'swift': 'swift', 'placement': 'nova'}[svc] not in want: continue
        service(svc, typ, url % IP)

def service(svc, typ, url):
    sid = ensure(K, 'services', 'service', {'type': typ}, name=svc)['id']
    for i in ('public', 'internal', 'admin'):
        ensure(K, 'endpoints', 'endpoint', {'service_id': sid, 'interface': i}, region_id=REGION, url=url)

def resources(want):
    dtok, dpid = login('demo', 'demo')
    if 'nova' in want:
        N = 'http://%s:8774/v2.1' % IP
        have = {f['name'] for f in get(N + '/flavors?is_public=None', 'flavors')}
        for i, (name, ram, cpu, disk) in enumerate((('m1.512', 512, 1, 1), ('m1.1g', 1024, 1, 2), ('m1.2g', 2048, 2, 4)), 1):
            if name not in have:
                call('POST', N + '/flavors', ok=(409,), json={'flavor': {'id': str(i), 'name': name, 'ram': ram, 'vcpus': cpu, 'disk': disk}})
        call('POST', N + '/os-keypairs', ok=(409,), tok=dtok, json={'keypair': {'name': 'lab'}})
    if 'glance' in want:
        G = 'http://%s:9292/v2' % IP
        if not get(G + '/images', 'images', name='lab'):
            im = call('POST', G + '/images', json={'name': 'lab', 'disk_format': 'raw', 'container_format': 'bare', 'visibility': 'public', 'min_ram': 0, 'tags': ['lab', 'trove', 'mysql']}).json()
            call('PUT', G + '/images/%s/file' % im['id'], data=b'\0' * 65536, headers={'Content-Type': 'application/octet-stream'})
    if 'cinder' in want:
        C = 'http://%s:8776/v3/%s' % (IP, PID)
        ensure(C, 'types', 'volume_type', {'name': 'lab'}, extra_specs={'volume_backend_name': 'lab'})
    if 'neutron' in want:
        A = 'http://%s:9696/v2.0' % IP
        def net(name, cidr, tok, **kw):
            n = ensure(A, 'networks', 'network', {'name': name}, tok=tok, **kw)
            # there is no DHCP agent: without DHCP, a config drive carries the addresses
            s = ensure(A, 'subnets', 'subnet', {'name': name + '-subnet', 'network_id': n['id']}, tok=tok, ip_version=4, cidr=cidr, enable_dhcp=False, **({
                # the end of the range is this host's own
                'allocation_pools': [{'start': cidr.replace('.0.0/16', '.0.2'), 'end': cidr.replace('.0.0/16', '.254.254')}],
            } if cidr.endswith('/16') else {}))
            return n, s
        # Neutron makes a project's default group when the project first asks for its groups
        for user, project in (('admin', 'admin'), ('coffer', 'service'), ('demo', 'demo')):
            get(A + '/security-groups', 'security_groups', tok=login(user, project)[0])
        ext, _ = net('public', '198.51.100.0/24', TOK, **{'router:external': True, 'provider:network_type': 'flat', 'provider:physical_network': 'public'})
        prv, sub = net('private', '10.20.0.0/16', dtok)
        net('trove-mgmt', '10.30.0.0/16', TOK, shared=False)
        r = ensure(A, 'routers', 'router', {'name': 'router1'}, tok=dtok)
        if not r.get('external_gateway_info'):
            call('PUT', A + '/routers/' + r['id'], tok=dtok, json={'router': {'external_gateway_info': {'network_id': ext['id']}}})
        call('PUT', A + '/routers/%s/add_router_interface' % r['id'], ok=(400, 409), tok=dtok, json={'subnet_id': sub['id']})

def zone():
    N = 'http://%s:8774/v2.1' % IP
    have = {a['name']: a for a in get(N + '/os-aggregates', 'aggregates')}
    a = have.get('fake') or call('POST', N + '/os-aggregates', json={'aggregate': {'name': 'fake', 'availability_zone': 'fake'}}).json()['aggregate']
    if 'lab1' not in a.get('hosts', []):
        call('POST', N + '/os-aggregates/%s/action' % a['id'], json={'add_host': {'host': 'lab1'}})

def backend():
    """Waits until Cinder's scheduler has heard of the backend: before that it refuses every volume."""
    pools = 'http://%s:8776/v3/%s/scheduler-stats/get_pools' % (IP, PID)
    for i in range(240):
        if get(pools, 'pools'): return
        time.sleep(0.5)
    raise SystemExit('cinder-scheduler has heard of no backend')

if __name__ == '__main__':
    want = sys.argv[2].split()
    if sys.argv[1] == 'identity': identity(want)
    elif sys.argv[1] == 'resources': resources(want)
    elif sys.argv[1] == 'zone': zone()
    elif sys.argv[1] == 'backend': backend()
    elif sys.argv[1] == 'service': service(*sys.argv[3:6])
