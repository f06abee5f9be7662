"""Nova driver of the lab: the fake driver, whose servers are namespaces of
this host once a guest agent is there to run in them. What Nova does to a
server is then done to the namespace, by the script `machine`, with the config
drive that Nova itself writes, the ports' addresses and the volume's device.
A file $LAB/fail/spawn or $LAB/fail/finish_migration has that fail, once."""
import json
import os
import subprocess

from nova import exception
from nova.api.metadata import base as instance_metadata
from nova.virt import configdrive
from nova.virt import fake

LAB = os.environ['LAB']
GUEST = os.path.join(LAB, 'guest', 'coffer-guestagent')


class NamespaceDriver(fake.SameHostColdMigrateDriver):
    def _sabotage(self, what):
        order = os.path.join(LAB, 'fail', what)
        if os.path.exists(order):
            os.remove(order)
            raise exception.NovaException('the lab fails to ' + what)

    def _machine(self, what, uuid):
        if os.path.exists(GUEST) or os.path.exists(self._folder(uuid)):
            subprocess.run([os.environ['LAB_MACHINE'], what, uuid], check=True, stdin=subprocess.DEVNULL)

    def _folder(self, uuid):
        return os.path.join(LAB, 'machines', uuid)

    def _describe(self, instance, network_info, block_device_info):
        """Writes down what the machine is made of. Nova calls some of what follows without the network or the devices:
        what was written before holds then."""
        if not os.path.exists(GUEST):
            return
        folder = self._folder(instance.uuid)
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, 'machine.json')
        told = {'name': instance.metadata.get('coffer_instance', instance.uuid), 'nics': [], 'volumes': []}
        if os.path.exists(path):
            with open(path) as f:
                told = json.load(f)
        # An image may say in which folder there are programs that lie over this host's.
        told['root'] = instance.system_metadata.get('image_lab_root', '')
        if network_info:
            told['nics'] = [{'mac': v['address'], 'network': v['network']['id'], 'port': v['id']} for v in network_info]
            drive = os.path.join(folder, 'config-drive.iso')
            metadata = instance_metadata.InstanceMetadata(instance, network_info=network_info)
            with configdrive.ConfigDriveBuilder(instance_md=metadata) as builder:
                builder.make_drive(drive)
        if block_device_info:
            told['volumes'] = [
                {'path': m['connection_info']['data']['device_path'], 'serial': m['connection_info'].get('serial', '')}
                for m in block_device_info.get('block_device_mapping', [])]
        with open(path, 'w') as f:
            json.dump(told, f)

    def _up(self, instance, network_info, block_device_info):
        self._describe(instance, network_info, block_device_info)
        self._machine('up', instance.uuid)

    def spawn(self, context, instance, image_meta, injected_files, admin_password, allocations, network_info=None,
              block_device_info=None, power_on=True, accel_info=None):
        self._sabotage('spawn')
        super().spawn(context, instance, image_meta, injected_files, admin_password, allocations, network_info,
                      block_device_info, power_on, accel_info)
        self._machine('gone', instance.uuid)
        self._describe(instance, network_info, block_device_info)
        if power_on:
            self._machine('up', instance.uuid)

    def reboot(self, context, instance, network_info, reboot_type, block_device_info=None, bad_volumes_callback=None,
               accel_info=None):
        self._machine('down' if reboot_type == 'SOFT' else 'off', instance.uuid)
        if instance.uuid in self.instances:
            super().power_on(context, instance, network_info, block_device_info)
        else:  # nova-compute was started again since
            super().spawn(context, instance, instance.image_meta, None, None, None, network_info, block_device_info)
        self._up(instance, network_info, block_device_info)

    def power_off(self, instance, timeout=0, retry_interval=0):
        # As libvirt's does, it finds one that is gone off: a rebuild that failed has left nothing.
        if instance.uuid in self.instances:
            super().power_off(instance, timeout, retry_interval)
        self._machine('down', instance.uuid)

    def power_on(self, context, instance, network_info, block_device_info=None, accel_info=None):
        super().power_on(context, instance, network_info, block_device_info, accel_info)
        self._up(instance, network_info, block_device_info)

    def migrate_disk_and_power_off(self, context, instance, *args, **kwargs):
        self._machine('down', instance.uuid)
        return super().migrate_disk_and_power_off(context, instance, *args, **kwargs)

    def finish_migration(self, context, migration, instance, disk_info, network_info, image_meta, resize_instance,
                         allocations, block_device_info=None, power_on=True):
        self._sabotage('finish_migration')
        # The fake driver's own would spawn, as if on a blank disk.
        super().spawn(context, instance, image_meta, None, None, allocations, network_info, block_device_info, power_on)
        if power_on:
            self._up(instance, network_info, block_device_info)

    def finish_revert_migration(self, context, instance, network_info, migration, block_device_info=None, power_on=True):
        super().finish_revert_migration(context, instance, network_info, migration, block_device_info, power_on)
        if power_on:
            self._up(instance, network_info, block_device_info)

    def destroy(self, context, instance, network_info, block_device_info=None, destroy_disks=True, destroy_secrets=True):
        super().destroy(context, instance, network_info, block_device_info, destroy_disks, destroy_secrets)
        # A resize on the same host destroys what was moved away, and keeps its disks.
        self._machine('gone' if destroy_disks else 'off', instance.uuid)

    def attach_volume(self, context, connection_info, instance, *args, **kwargs):
        super().attach_volume(context, connection_info, instance, *args, **kwargs)
        self._describe(instance, None, {'block_device_mapping': [{'connection_info': connection_info}]})
        self._machine('disks', instance.uuid)

    def detach_volume(self, context, connection_info, instance, *args, **kwargs):
        super().detach_volume(context, connection_info, instance, *args, **kwargs)
        self._describe(instance, None, {'block_device_mapping': []})
        self._machine('disks', instance.uuid)

    def extend_volume(self, context, connection_info, instance, requested_size):
        self._machine('grow', instance.uuid)
